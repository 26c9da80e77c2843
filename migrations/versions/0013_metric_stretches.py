"""Sums of series over ten steps, for curves of many long runs."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "metric_stretches",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_metric_stretches_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", "start", name=op.f("pk_metric_stretches")),
    )
    op.execute(
        "INSERT INTO metric_stretches (run_id, name, start, n, total) "
        "SELECT run_id, name, step - step % 10, count(*), sum(value) FROM metrics "
        "GROUP BY run_id, name, step - step % 10"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("metric_stretches")
