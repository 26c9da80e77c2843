"""review queues, ratings on a stated scale, ranking sets."""

import sqlalchemy as sa
from alembic import op

import backend.db.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RATING_COLUMNS = ("is_current", "import_id", "review_id", "seconds", "scale", "source")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name_key", name=op.f("uq_people_name_key")),
    )
    op.create_table(
        "ranking_sets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_ranking_sets_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ranking_sets")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_ranking_sets_name_version")),
        sa.UniqueConstraint("request_id", name=op.f("uq_ranking_sets_request_id")),
    )
    op.create_table(
        "rating_imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_rating_imports_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_imports")),
        sa.UniqueConstraint("request_id", name=op.f("uq_rating_imports_request_id")),
    )
    op.create_table(
        "review_queues",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("guidelines", sa.Text(), nullable=False),
        sa.Column("is_blind", sa.Boolean(), nullable=False),
        sa.Column("shows_reference", sa.Boolean(), nullable=False),
        sa.Column("reviews_per_item", sa.Integer(), nullable=False),
        sa.Column("reviewer_ids", sa.JSON(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("task", sa.String(length=32), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_review_queues_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_queues")),
        sa.UniqueConstraint("request_id", name=op.f("uq_review_queues_request_id")),
    )
    op.create_table(
        "reviewer_sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_reviewer_sessions_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_reviewer_sessions")),
    )
    op.create_table(
        "review_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("example_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("candidate_ids", sa.JSON(), nullable=False),
        sa.Column("gold", sa.JSON(), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("n_done", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["example_id"], ["examples.id"], name=op.f("fk_review_items_example_id_examples")),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["review_queues.id"], name=op.f("fk_review_items_queue_id_review_queues"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_items")),
        sa.UniqueConstraint("queue_id", "position", name=op.f("uq_review_items_queue_id_position")),
    )
    with op.batch_alter_table("review_items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_review_items_queue_id_is_open_position", ["queue_id", "is_open", "position"], unique=False
        )

    op.create_table(
        "ranking_set_entries",
        sa.Column("ranking_set_id", sa.String(length=32), nullable=False),
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_ranking_set_entries_candidate_id_candidates")
        ),
        sa.ForeignKeyConstraint(
            ["ranking_set_id"],
            ["ranking_sets.id"],
            name=op.f("fk_ranking_set_entries_ranking_set_id_ranking_sets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ranking_set_id", "candidate_id", name=op.f("pk_ranking_set_entries")),
    )
    op.create_table(
        "review_slots",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lease_expires_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["review_items.id"], name=op.f("fk_review_slots_item_id_review_items"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_review_slots_person_id_people")),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["review_queues.id"], name=op.f("fk_review_slots_queue_id_review_queues"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_review_slots")),
    )
    with op.batch_alter_table("review_slots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_review_slots_queue_id_person_id_state", ["queue_id", "person_id", "state"], unique=False
        )

    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("queue_id", sa.String(length=32), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("is_flagged", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["review_items.id"], name=op.f("fk_reviews_item_id_review_items"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reviews_person_id_people")),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["review_queues.id"], name=op.f("fk_reviews_queue_id_review_queues"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("item_id", "person_id", "revision", name=op.f("uq_reviews_item_id_person_id_revision")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_reviews_submission_id")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("ix_reviews_queue_id_id", ["queue_id", "id"], unique=False)

    # Plain ALTERs: rebuilding the table would copy every rating.
    op.add_column("ratings", sa.Column("source", sa.String(length=16), server_default="judge", nullable=False))
    op.add_column("ratings", sa.Column("scale", sa.String(length=32), server_default="1-10", nullable=False))
    op.add_column("ratings", sa.Column("seconds", sa.Double(), nullable=True))
    op.add_column(
        "ratings", sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("ratings", sa.Column("import_id", sa.String(length=32), nullable=True))
    op.add_column("ratings", sa.Column("is_current", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index("ix_ratings_review_id", "ratings", ["review_id"])
    op.execute("UPDATE ratings SET source = 'rule', scale = 'binary' WHERE rater = 'answer'")


def downgrade() -> None:
    """Take back. Ratings without a rate run came with this revision and go with it."""
    op.execute("DELETE FROM ratings WHERE run_id IS NULL")
    op.drop_index("ix_ratings_review_id", "ratings")
    for column in RATING_COLUMNS:
        op.drop_column("ratings", column)
    for table in (
        "reviews",
        "review_slots",
        "ranking_set_entries",
        "review_items",
        "reviewer_sessions",
        "review_queues",
        "rating_imports",
        "ranking_sets",
        "people",
    ):
        op.drop_table(table)
