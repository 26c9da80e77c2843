"""How a stored COT's answer is read: the extractor's attempts with excerpts of the text."""

from typing import Final

from aft.answers import EXTRACTOR_VERSION, Attempt, explain, rule_in_words
from backend.db.models import Candidate, Example, LabelOverride
from backend.schemas.candidates import Span
from backend.schemas.inspection import Excerpt, Extraction, ExtractionAttempt, LabelRead

AROUND: Final = 40
LONGEST_EXCERPT: Final = 200


def excerpt(text: str, start: int, end: int) -> Excerpt:
    """A place in a text with some characters around it."""
    return Excerpt(
        start=start,
        end=end,
        before=text[max(0, start - AROUND) : start],
        text=text[start : min(end, start + LONGEST_EXCERPT)],
        after=text[end : end + AROUND],
    )


def label_read(row: LabelOverride) -> LabelRead:
    """A person's label as the API shows it."""
    return LabelRead.model_validate(row)


def of_candidate(
    candidate: Candidate, example: Example, task: str, *, label: LabelOverride | None, history: list[LabelOverride]
) -> Extraction:
    """Everything about how a candidate's answer was read and graded."""
    choices = tuple(str(choice) for choice in example.choices) if example.choices else None
    found = explain(candidate.text, example.answer, task, choices)
    is_truncated = candidate.finish_reason == "length"
    steps = list(found.steps)
    verdict = "unparsed" if found.answer is None else "right" if found.is_right else "wrong"
    if is_truncated:
        verdict = "truncated"
        steps.append(
            "It was cut at the length limit, so it has no end of its own: it never counts as right, whatever it says."
        )
    return Extraction.model_validate(
        {
            "candidate_id": candidate.id,
            "gold": example.answer,
            "verdict": candidate.verdict,
            "answer": candidate.answer,
            "answer_rule": candidate.answer_rule,
            "extractor_version": candidate.extractor_version,
            "present_version": EXTRACTOR_VERSION,
            "present_verdict": verdict,
            "is_truncated": is_truncated,
            "cut_at": None if found.cut_at == len(candidate.text) else found.cut_at,
            "attempts": [
                _attempt(candidate.text, one, decides=index == found.decided_by)
                for index, one in enumerate(found.attempts)
            ],
            "steps": steps,
            "label": None if label is None else label_read(label),
            "history": [label_read(row) for row in history],
        }
    )


def _attempt(text: str, one: Attempt, *, decides: bool) -> ExtractionAttempt:
    span = None if one.answer is None else Span(start=one.answer.span[0], end=one.answer.span[1])
    return ExtractionAttempt(
        rule=one.rule if one.answer is None else one.answer.rule,
        rule_words=rule_in_words(one.rule if one.answer is None else one.answer.rule),
        marker=None if one.marker is None else Span(start=one.marker[0], end=one.marker[1]),
        excerpt=excerpt(text, *one.looked_at),
        answer=None if one.answer is None else one.answer.value[:LONGEST_EXCERPT],
        answer_span=span,
        outcome=one.outcome,
        decides=decides,
    )
