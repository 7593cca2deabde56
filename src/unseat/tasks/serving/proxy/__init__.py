"""The winner at work in front of real servers."""
