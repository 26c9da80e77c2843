"""Rows of several tasks in one data set version."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # A plain ALTER: rebuilding the table would copy every example.
    op.add_column("examples", sa.Column("task", sa.String(32), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("examples", "task")
