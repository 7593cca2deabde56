"""The system itself: replicas of a language model that serve requests."""
