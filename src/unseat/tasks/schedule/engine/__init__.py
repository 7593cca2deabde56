"""A cluster that runs job graphs: the simulator, readable on its own."""
