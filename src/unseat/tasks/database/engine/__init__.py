"""PostgreSQL: a private server, and connections that measure what a statement costs."""
