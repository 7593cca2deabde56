"""Migrations of the arena's database, by Alembic."""
