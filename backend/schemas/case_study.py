"""One question under every method (Table 12)."""

from backend.schemas.common import Schema


class CaseAnswer(Schema):
    """A method's greedy answer to the question."""

    method: str
    family: str
    constraint: str
    run_id: str
    """The evaluation it is from."""
    text: str
    verdict: str
    """right, wrong, unparsed or truncated."""
    answer: str | None
    wrong_start: int | None
    """Character span of the first wrong step; None where no step is wrong or steps cannot be checked."""
    wrong_end: int | None
    repetition: float | None
    """Share of 4-grams of words that stood in the answer before; None for fewer than four words."""


class CaseStudy(Schema):
    """Answers side by side."""

    example_id: int
    question: str
    reference: str
    gold: str
    seed: int
    seeds: list[int]
    steps_checked: bool
    """Whether the task's oracle can check steps."""
    answers: list[CaseAnswer]
    repetition: dict[str, float | None]
    """By method: mean over all its answers of that seed."""
    next_example_id: int | None
    """Another question that the methods answer differently."""
