"""Alembic's entry: which database, which tables."""

from alembic import context

from backend.db.models import Base
from backend.db.session import get_engine, make_engine

# Text search lives outside the models: FTS5's virtual and shadow tables, or a table of its own on PostgreSQL.
SEARCH_TABLES = ("candidate_search", "question_search")


def in_models(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a reflected thing is compared with the models."""
    return not (kind == "table" and (name or "").startswith(SEARCH_TABLES))


url = context.config.attributes.get("url")
engine = make_engine(url) if url else get_engine()

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=in_models,
        # SQLite cannot alter a column in place; batch mode rebuilds the table.
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="backend.db.models.base.",
    )
    with context.begin_transaction():
        context.run_migrations()
