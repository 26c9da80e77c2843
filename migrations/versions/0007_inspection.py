"""Tokens of texts, scores of references, labels by people and by later extractors."""

import sqlalchemy as sa
from alembic import op

import backend.db.models.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "regrades",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("candidates_run_id", sa.String(length=32), nullable=False),
        sa.Column("extractor_version", sa.Integer(), nullable=False),
        sa.Column("n_candidates", sa.Integer(), nullable=False),
        sa.Column("n_changed", sa.Integer(), nullable=False),
        sa.Column("flips", sa.JSON(), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidates_run_id"], ["runs.id"], name=op.f("fk_regrades_candidates_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_regrades_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_regrades")),
    )
    with op.batch_alter_table("regrades", schema=None) as batch_op:
        batch_op.create_index("ix_regrades_candidates_run_id", ["candidates_run_id"], unique=False)

    op.create_table(
        "reference_scores",
        sa.Column("example_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_run_id", sa.String(length=32), nullable=False),
        sa.Column("by_run_id", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("token_logprobs", sa.LargeBinary(), nullable=False),
        sa.Column("ends", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name=op.f("fk_reference_scores_example_id_examples"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_run_id"], ["runs.id"], name=op.f("fk_reference_scores_model_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("example_id", "model_run_id", name=op.f("pk_reference_scores")),
    )
    with op.batch_alter_table("reference_scores", schema=None) as batch_op:
        batch_op.create_index("ix_reference_scores_model_run_id", ["model_run_id"], unique=False)

    op.create_table(
        "label_overrides",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_label_overrides_candidate_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_label_overrides_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_overrides")),
        sa.UniqueConstraint("request_id", name=op.f("uq_label_overrides_request_id")),
    )
    with op.batch_alter_table("label_overrides", schema=None) as batch_op:
        batch_op.create_index("ix_label_overrides_candidate_id_id", ["candidate_id", "id"], unique=False)
        batch_op.create_index("ix_label_overrides_run_id_id", ["run_id", "id"], unique=False)

    op.create_table(
        "regrade_changes",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_start", sa.Integer(), nullable=True),
        sa.Column("answer_end", sa.Integer(), nullable=True),
        sa.Column("answer_rule", sa.String(length=40), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("verdict_before", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_regrade_changes_candidate_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_regrade_changes_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "candidate_id", name=op.f("pk_regrade_changes")),
    )
    with op.batch_alter_table("regrade_changes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_regrade_changes_run_id_verdict_before_verdict_candidate_id",
            ["run_id", "verdict_before", "verdict", "candidate_id"],
            unique=False,
        )

    op.create_table(
        "token_spans",
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ends", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_token_spans_candidate_id_candidates"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_token_spans")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("token_spans")
    with op.batch_alter_table("regrade_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_regrade_changes_run_id_verdict_before_verdict_candidate_id")

    op.drop_table("regrade_changes")
    with op.batch_alter_table("label_overrides", schema=None) as batch_op:
        batch_op.drop_index("ix_label_overrides_run_id_id")
        batch_op.drop_index("ix_label_overrides_candidate_id_id")

    op.drop_table("label_overrides")
    with op.batch_alter_table("reference_scores", schema=None) as batch_op:
        batch_op.drop_index("ix_reference_scores_model_run_id")

    op.drop_table("reference_scores")
    with op.batch_alter_table("regrades", schema=None) as batch_op:
        batch_op.drop_index("ix_regrades_candidates_run_id")

    op.drop_table("regrades")
