"""The arena's server: pages and an API."""
