"""The rules that systems schedule by, one a file, and the loop around them."""
