"""What the task learns with."""
