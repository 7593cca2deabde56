"""Tasks on a real PostgreSQL: `query` (which hint set?) and `dbindex` (which indexes?)."""
