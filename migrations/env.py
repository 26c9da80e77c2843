"""Alembic's entry: which database, which tables."""

from alembic import context

from backend.db.models import Base
from backend.db.session import get_engine, make_engine

url = context.config.attributes.get("url")
engine = make_engine(url) if url else get_engine()

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        # SQLite cannot alter a column in place; batch mode rebuilds the table.
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="backend.db.models.base.",
    )
    with context.begin_transaction():
        context.run_migrations()
