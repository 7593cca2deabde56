"""Generated data, query templates, and what loads them."""
