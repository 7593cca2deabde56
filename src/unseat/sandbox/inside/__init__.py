"""What runs inside the sandbox: the standard library only, so that nothing of unseat must be visible there."""
