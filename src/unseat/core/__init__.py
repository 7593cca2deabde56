"""The contract between engines, policies and the laboratory. Imports nothing else of unseat."""
