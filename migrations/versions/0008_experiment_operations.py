"""Pause, priority and undo of deletion of experiments; holds, precedence and tags of runs."""

import sqlalchemy as sa
from alembic import op

import backend.db.models.base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    moment = backend.db.models.base.UTCDateTime(timezone=True)
    op.add_column("experiments", sa.Column("paused_at", moment, nullable=True))
    op.add_column("experiments", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("experiments", sa.Column("deleted_at", moment, nullable=True))
    op.add_column("runs", sa.Column("on_hold", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("runs", sa.Column("precedence", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_runs_line", "runs", ["state", "on_hold", "precedence", "priority", "id"])
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_tags_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "tag", name=op.f("pk_run_tags")),
    )
    op.create_index("ix_run_tags_tag", "run_tags", ["tag"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("run_tags")
    op.drop_index("ix_runs_line", table_name="runs")
    op.drop_column("runs", "precedence")
    op.drop_column("runs", "on_hold")
    op.drop_column("experiments", "deleted_at")
    op.drop_column("experiments", "priority")
    op.drop_column("experiments", "paused_at")
