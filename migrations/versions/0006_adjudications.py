"""decisions about items on which raters disagree."""

import sqlalchemy as sa
from alembic import op

import backend.db.models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "adjudications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["review_items.id"], name=op.f("fk_adjudications_item_id_review_items"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_adjudications_person_id_people")),
        sa.ForeignKeyConstraint(
            ["queue_id"],
            ["review_queues.id"],
            name=op.f("fk_adjudications_queue_id_review_queues"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudications")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_adjudications_submission_id")),
    )
    op.create_index("ix_adjudications_queue_id", "adjudications", ["queue_id"])
    op.create_index("ix_adjudications_item_id_id", "adjudications", ["item_id", "id"])
    # A plain ALTER: rebuilding the table would copy every rating.
    op.add_column(
        "ratings", sa.Column("adjudication_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.create_index("ix_ratings_adjudication_id", "ratings", ["adjudication_id"])


def downgrade() -> None:
    """Take back. Adjudicated ratings came with this revision and go with it."""
    op.execute("DELETE FROM ratings WHERE adjudication_id IS NOT NULL")
    op.drop_index("ix_ratings_adjudication_id", "ratings")
    op.drop_column("ratings", "adjudication_id")
    op.drop_table("adjudications")
