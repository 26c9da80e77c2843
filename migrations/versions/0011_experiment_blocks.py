"""Which data set and model of an experiment a run belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("experiment_runs", sa.Column("block", sa.String(16), server_default="d1m1", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.drop_column("experiment_runs", "block")
