"""candidate statistics and text search, with what is stored already."""

import sqlalchemy as sa
from alembic import op

import backend.db.models.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE candidate_search USING fts5(
        text, content='candidates', content_rowid='id', tokenize="unicode61 remove_diacritics 0")""",
    """CREATE TRIGGER candidate_search_insert AFTER INSERT ON candidates BEGIN
        INSERT INTO candidate_search(rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER candidate_search_delete AFTER DELETE ON candidates BEGIN
        INSERT INTO candidate_search(candidate_search, rowid, text) VALUES ('delete', old.id, old.text); END""",
    """CREATE TRIGGER candidate_search_update AFTER UPDATE OF text ON candidates BEGIN
        INSERT INTO candidate_search(candidate_search, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO candidate_search(rowid, text) VALUES (new.id, new.text); END""",
    "INSERT INTO candidate_search(candidate_search) VALUES ('rebuild')",
    # Only questions that have COTs are searched; services put them in.
    """CREATE VIRTUAL TABLE question_search USING fts5(
        question, content='examples', content_rowid='id', tokenize="unicode61 remove_diacritics 0")""",
    """CREATE TRIGGER question_search_delete AFTER DELETE ON examples
        WHEN EXISTS (SELECT 1 FROM question_search_docsize WHERE id = old.id) BEGIN
        INSERT INTO question_search(question_search, rowid, question) VALUES ('delete', old.id, old.question); END""",
    """INSERT INTO question_search(rowid, question)
        SELECT id, question FROM examples WHERE id IN (SELECT example_id FROM candidates)""",
)
# Punctuation becomes spaces, so that both engines find the same words in "16-3=13". A tsvector has a largest size.
DOCUMENT = (
    r"""to_tsvector('simple', translate(left({}, 100000), E'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{{|}}~', repeat(' ', 32)))"""
)
POSTGRESQL_SEARCH = (
    "ALTER TABLE candidates ADD COLUMN search tsvector GENERATED ALWAYS AS (" + DOCUMENT.format("text") + ") STORED",
    "CREATE INDEX ix_candidates_search ON candidates USING gin (search)",
    """CREATE TABLE question_search (
        example_id BIGINT PRIMARY KEY REFERENCES examples (id) ON DELETE CASCADE, document tsvector NOT NULL)""",
    "CREATE INDEX ix_question_search_document ON question_search USING gin (document)",
    "INSERT INTO question_search SELECT id, "
    + DOCUMENT.format("question")
    + """
        FROM examples WHERE id IN (SELECT example_id FROM candidates)""",
)
STATISTICS = (
    """INSERT INTO rating_summaries (candidate_id, run_id, example_id, rating, spread, n_raters)
        SELECT c.id, c.run_id, c.example_id, avg(r.v), CASE WHEN count(*) > 1 THEN max(r.v) - min(r.v) END, count(*)
        FROM (SELECT candidate_id, rater, source,
                avg(CASE WHEN scale = '1-10' THEN (value - 1) / 9.0 ELSE value END) AS v
            FROM ratings WHERE is_current AND source != 'rule' GROUP BY candidate_id, rater, source) AS r
        JOIN candidates AS c ON c.id = r.candidate_id GROUP BY c.id, c.run_id, c.example_id""",
    """INSERT INTO question_stats (run_id, example_id, n_candidates, n_right, n_wrong, n_unparsed, n_truncated,
            n_duplicate, min_tokens, max_tokens, n_rated, n_disagreed, rating, rating_spread)
        SELECT c.run_id, c.example_id, count(*), sum(CASE WHEN verdict = 'right' THEN 1 ELSE 0 END),
            sum(CASE WHEN verdict = 'wrong' THEN 1 ELSE 0 END), sum(CASE WHEN verdict = 'unparsed' THEN 1 ELSE 0 END),
            sum(CASE WHEN verdict = 'truncated' THEN 1 ELSE 0 END), sum(CASE WHEN is_duplicate THEN 1 ELSE 0 END),
            min(n_tokens), max(n_tokens), count(r.rating), sum(CASE WHEN r.spread > 0 THEN 1 ELSE 0 END),
            avg(r.rating), max(r.spread)
        FROM candidates AS c LEFT JOIN rating_summaries AS r ON r.candidate_id = c.id
        GROUP BY c.run_id, c.example_id""",
    """INSERT INTO question_scores (run_id, model_run_id, example_id, n_scored, sum_score, n_violated, best, best_wrong,
            worst_right, margin)
        SELECT run_id, model_run_id, example_id, count(*), sum(score),
            sum(CASE WHEN is_right = 0 THEN rights ELSE 0 END), max(score),
            max(CASE WHEN is_right = 0 THEN score END), min(CASE WHEN is_right = 1 THEN score END),
            min(CASE WHEN is_right = 1 THEN score END) - max(CASE WHEN is_right = 0 THEN score END)
        FROM (SELECT c.run_id, c.example_id, s.model_run_id, s.score,
                CASE WHEN c.verdict = 'right' THEN 1 ELSE 0 END AS is_right,
                sum(CASE WHEN c.verdict = 'right' THEN 1 ELSE 0 END)
                    OVER (PARTITION BY c.run_id, c.example_id, s.model_run_id ORDER BY s.score) AS rights
            FROM candidates AS c JOIN scores AS s ON s.candidate_id = c.id) AS scored
        GROUP BY run_id, model_run_id, example_id""",
    """INSERT INTO candidate_sets (run_id, kind, n_questions, n_candidates, n_right, n_wrong, n_unparsed, n_truncated,
            n_duplicate, n_rated, n_disagreed, first_id, last_id)
        SELECT q.run_id, runs.kind, count(*), sum(n_candidates), sum(n_right), sum(n_wrong), sum(n_unparsed),
            sum(n_truncated), sum(n_duplicate), sum(n_rated), sum(n_disagreed),
            (SELECT min(id) FROM candidates WHERE run_id = q.run_id),
            (SELECT max(id) FROM candidates WHERE run_id = q.run_id)
        FROM question_stats AS q JOIN runs ON runs.id = q.run_id GROUP BY q.run_id, runs.kind""",
    """INSERT INTO candidate_set_models (run_id, model_run_id, n_scored, sum_score, n_violated, n_questions_violated)
        SELECT run_id, model_run_id, sum(n_scored), sum(sum_score), sum(n_violated),
            sum(CASE WHEN n_violated > 0 THEN 1 ELSE 0 END)
        FROM question_scores GROUP BY run_id, model_run_id""",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "candidate_set_models",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("model_run_id", sa.String(length=32), nullable=False),
        sa.Column("n_scored", sa.Integer(), nullable=False),
        sa.Column("sum_score", sa.Float(), nullable=False),
        sa.Column("n_violated", sa.Integer(), nullable=False),
        sa.Column("n_questions_violated", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_run_id"], ["runs.id"], name=op.f("fk_candidate_set_models_model_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_candidate_set_models_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "model_run_id", name=op.f("pk_candidate_set_models")),
    )
    op.create_table(
        "candidate_sets",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="ready", nullable=False),
        sa.Column("first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("last_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("n_questions", sa.Integer(), nullable=False),
        sa.Column("n_candidates", sa.Integer(), nullable=False),
        sa.Column("n_right", sa.Integer(), nullable=False),
        sa.Column("n_wrong", sa.Integer(), nullable=False),
        sa.Column("n_unparsed", sa.Integer(), nullable=False),
        sa.Column("n_truncated", sa.Integer(), nullable=False),
        sa.Column("n_duplicate", sa.Integer(), nullable=False),
        sa.Column("n_rated", sa.Integer(), nullable=False),
        sa.Column("n_disagreed", sa.Integer(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_candidate_sets_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_candidate_sets")),
    )
    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.create_index("ix_candidate_sets_kind_run_id", ["kind", "run_id"], unique=False)

    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("deleted_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=True),
        sa.Column("created_at", backend.db.models.base.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_saved_views_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_experiment_id"), ["experiment_id"], unique=False)

    op.create_table(
        "question_scores",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("model_run_id", sa.String(length=32), nullable=False),
        sa.Column("example_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n_scored", sa.Integer(), nullable=False),
        sa.Column("sum_score", sa.Float(), nullable=False),
        sa.Column("n_violated", sa.Integer(), nullable=False),
        sa.Column("best", sa.Float(), nullable=False),
        sa.Column("best_wrong", sa.Float(), nullable=True),
        sa.Column("worst_right", sa.Float(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name=op.f("fk_question_scores_example_id_examples"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_run_id"], ["runs.id"], name=op.f("fk_question_scores_model_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_question_scores_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "model_run_id", "example_id", name=op.f("pk_question_scores")),
    )
    with op.batch_alter_table("question_scores", schema=None) as batch_op:
        batch_op.create_index("ix_question_scores_best", ["run_id", "model_run_id", "best", "example_id"], unique=False)
        batch_op.create_index("ix_question_scores_example_id", ["example_id"], unique=False)
        batch_op.create_index(
            "ix_question_scores_margin", ["run_id", "model_run_id", "margin", "example_id"], unique=False
        )
        batch_op.create_index(
            "ix_question_scores_n_violated", ["run_id", "model_run_id", "n_violated", "example_id"], unique=False
        )

    op.create_table(
        "question_stats",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("example_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n_candidates", sa.Integer(), nullable=False),
        sa.Column("n_right", sa.Integer(), nullable=False),
        sa.Column("n_wrong", sa.Integer(), nullable=False),
        sa.Column("n_unparsed", sa.Integer(), nullable=False),
        sa.Column("n_truncated", sa.Integer(), nullable=False),
        sa.Column("n_duplicate", sa.Integer(), nullable=False),
        sa.Column("min_tokens", sa.Integer(), nullable=False),
        sa.Column("max_tokens", sa.Integer(), nullable=False),
        sa.Column("n_rated", sa.Integer(), nullable=False),
        sa.Column("n_disagreed", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("rating_spread", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name=op.f("fk_question_stats_example_id_examples"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_question_stats_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "example_id", name=op.f("pk_question_stats")),
    )
    with op.batch_alter_table("question_stats", schema=None) as batch_op:
        batch_op.create_index("ix_question_stats_example_id", ["example_id"], unique=False)
        batch_op.create_index(
            "ix_question_stats_run_id_max_tokens", ["run_id", "max_tokens", "example_id"], unique=False
        )
        batch_op.create_index("ix_question_stats_run_id_n_right", ["run_id", "n_right", "example_id"], unique=False)
        batch_op.create_index("ix_question_stats_run_id_rating", ["run_id", "rating", "example_id"], unique=False)
        batch_op.create_index(
            "ix_question_stats_run_id_rating_spread", ["run_id", "rating_spread", "example_id"], unique=False
        )

    op.create_table(
        "rating_summaries",
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("example_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rating", sa.Float(), nullable=False),
        sa.Column("spread", sa.Float(), nullable=True),
        sa.Column("n_raters", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_rating_summaries_candidate_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_rating_summaries_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_rating_summaries")),
    )
    with op.batch_alter_table("rating_summaries", schema=None) as batch_op:
        batch_op.create_index("ix_rating_summaries_run_id_rating", ["run_id", "rating", "candidate_id"], unique=False)
        batch_op.create_index("ix_rating_summaries_run_id_spread", ["run_id", "spread", "candidate_id"], unique=False)

    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("model", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("external_id", sa.String(length=255), nullable=True))
        batch_op.drop_index(batch_op.f("ix_candidates_run_id_verdict_id"))
        batch_op.create_index(
            "ix_candidates_run_id_n_tokens", ["run_id", "n_tokens", "id", "verdict", "is_duplicate"], unique=False
        )
        batch_op.create_index(
            "ix_candidates_run_id_verdict", ["run_id", "verdict", "example_id", "sample_index"], unique=False
        )

    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scores_model_run_id"))
        batch_op.create_index("ix_scores_model_run_id_score", ["model_run_id", "score", "candidate_id"], unique=False)

    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (*(SQLITE_SEARCH if is_sqlite else POSTGRESQL_SEARCH), *STATISTICS):
        # Not op.execute: it reads ':' as the start of a parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if not is_sqlite else statement)


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("candidate_search_insert", "candidate_search_delete", "candidate_search_update"):
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TRIGGER question_search_delete")
        op.execute("DROP TABLE candidate_search")
    else:
        op.execute("ALTER TABLE candidates DROP COLUMN search")
    op.execute("DROP TABLE question_search")
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.drop_index("ix_scores_model_run_id_score")
        batch_op.create_index(batch_op.f("ix_scores_model_run_id"), ["model_run_id"], unique=False)

    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.drop_index("ix_candidates_run_id_verdict")
        batch_op.drop_index("ix_candidates_run_id_n_tokens")
        batch_op.create_index(batch_op.f("ix_candidates_run_id_verdict_id"), ["run_id", "verdict", "id"], unique=False)
        batch_op.drop_column("external_id")
        batch_op.drop_column("model")

    with op.batch_alter_table("rating_summaries", schema=None) as batch_op:
        batch_op.drop_index("ix_rating_summaries_run_id_spread")
        batch_op.drop_index("ix_rating_summaries_run_id_rating")

    op.drop_table("rating_summaries")
    with op.batch_alter_table("question_stats", schema=None) as batch_op:
        batch_op.drop_index("ix_question_stats_run_id_rating_spread")
        batch_op.drop_index("ix_question_stats_run_id_rating")
        batch_op.drop_index("ix_question_stats_run_id_n_right")
        batch_op.drop_index("ix_question_stats_run_id_max_tokens")
        batch_op.drop_index("ix_question_stats_example_id")

    op.drop_table("question_stats")
    with op.batch_alter_table("question_scores", schema=None) as batch_op:
        batch_op.drop_index("ix_question_scores_n_violated")
        batch_op.drop_index("ix_question_scores_margin")
        batch_op.drop_index("ix_question_scores_example_id")
        batch_op.drop_index("ix_question_scores_best")

    op.drop_table("question_scores")
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_views_experiment_id"))

    op.drop_table("saved_views")
    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.drop_index("ix_candidate_sets_kind_run_id")

    op.drop_table("candidate_sets")
    op.drop_table("candidate_set_models")
