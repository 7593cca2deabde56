"""The arena: a competition server with hidden instances, its workers, and the site of an event."""
