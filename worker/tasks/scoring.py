"""Score the candidates of a sampling run under a checkpoint (Eq. 2)."""

from sqlalchemy import select

from aft.config.sampling import ScoreConfig
from backend.db.models import Candidate, Example
from backend.db.session import reading
from backend.services.candidates import unpack_ids
from worker.context import RunContext
from worker.tasks.inputs import encode_question, load_checkpoint, use_device
from worker.tasks.questions import task_name
from worker.tasks.scores import ScoringQuestion, score_candidates

CONFIG = ScoreConfig


def run(context: RunContext) -> None:
    """Score every candidate of the parent run.

    Raises:
        Stopped: If asked to stop; everything finished is stored.
    """
    config: ScoreConfig = context.config
    use_device(context)
    task = task_name(context)
    model, tokenizer = load_checkpoint(context, "checkpoint", config.precision)
    query = (
        select(Candidate.id, Candidate.token_ids, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == context.parent("candidates"))
        .order_by(Example.position, Candidate.sample_index)
    )
    groups: dict[int, ScoringQuestion] = {}
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    with reading() as session:
        for candidate_id, token_ids, example in session.execute(query):
            if example.id not in groups:
                found[example.id] = {}
                groups[example.id] = ScoringQuestion(encode_question(tokenizer, example, task), found[example.id])
            found[example.id][candidate_id] = tuple(unpack_ids(token_ids))
    score_candidates(
        context,
        model,
        list(groups.values()),
        model_run_id=context.parent("checkpoint"),
        keep_token_logprobs=config.token_logprobs,
    )
