"""How Alembic reaches the arena's database: by the connection it is given."""

from alembic import context

from unseat.arena.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
