"""Candidates whose ids were made from a server's text."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # A plain ALTER: rebuilding the table would copy every candidate.
    op.add_column("candidates", sa.Column("is_reencoded", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take back."""
    op.drop_column("candidates", "is_reencoded")
