"""Where a response ends, and where it announces its answer.

Every repetition is bounded and every pattern starts with something rare, so the time is linear in the
length of the text, whatever the text.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Final

_END_MARKS: Final = (
    *("<eos>", "</s>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "<|end|>"),
    # Marks that start something new: a response never has them, so what follows is not the response.
    *("<bos>", "<sep>", "<pad>", "<s>", "<|im_start|>", "<|start_header_id|>", "<|user|>", "<|assistant|>"),
)
_END_MARK: Final = re.compile("|".join(map(re.escape, _END_MARKS)))
_NEW_QUESTION: Final = re.compile(
    r"^[ \t]{0,20}[*#_>]{0,6}[ \t]{0,3}(?:Question|Q|Human|User|Instruction)[*_]{0,3}[ \t]{0,3}:",
    re.MULTILINE,
)
_INLINE_QUESTION: Final = re.compile(r"(?<=\s)Question[ \t]{0,3}:")

_PRAISE: Final = (
    *("correct", "right", "best", "final", "only", "logical", "suitable", "appropriate", "reasonable", "likely"),
    "answer",
)


def _praised(noun: str) -> str:
    """Match a noun after a word of praise, starting with the noun."""
    after = "|".join(rf"(?<={word}\s{noun[0]})" for word in _PRAISE)
    return f"{noun[0]}(?:{after}){noun[1:]}"


# Applied to lower-case text and every alternative starts with a plain character: both let the engine skip
# over what cannot match, which makes it five times as fast as ignoring case.
_MARKER: Final = re.compile(
    rf"""
    \[(?P<ans>\s{{0,3}}ans(?:wer)?\s{{0,3}}\])
    | \#(?P<hash>(?<!\#\#)\#\#\#(?!\#))
    | \\(?P<boxed>f?box(?:ed)?\s{{0,3}}\{{)
    | a(?<!\wa)(?P<line>[ \t]{{0,3}}:)
    | (?: a(?<!\wa)ns(?:wer)?
        | {_praised("option")}
        | {_praised("choice")}
        | {_praised("solution")}
      )\b
      (?:
        (?:,?\s{{1,5}}(?:to|for|that|of|from|among|here|in|given|would|which)\b(?:(?!answer)[^.\n:?!]){{0,100}}?|,[^.,\n:?!]{{0,40}},)??
        \s{{0,5}}(?P<verb>\b(?:is|are|was|equals|becomes|(?:will|would|must|should)\s{{1,3}}be)\b)(?!\s{{1,5}}not\b)
        | \.?[*_]{{0,3}}\s{{0,5}}(?P<label>[:=])
        | (?P<bare>\.?(?=\s))
      )
    """,
    re.VERBOSE,
)
# "Ans C" and "Answer (b)", alone at the end of a line.
_BARE_VALUE: Final = re.compile(r"\s{1,3}(?:[A-Z]|\([A-Za-z]\)|[$-]?[0-9][0-9.,/%]{0,20})\.?[ \t]{0,3}(?:\n|\Z)")
_RULES: Final = {
    "ans": "ans-marker",
    "hash": "hash-marker",
    "boxed": "boxed",
    "verb": "the-answer-is",
    "label": "answer-label",
    "bare": "answer-label",
    "line": "answer-line",
}
CONCLUSIVE_RULES: Final = frozenset({"ans-marker", "boxed"})
"""Rules of markers that are only ever written to state the answer."""

_MOST_MARKERS: Final = 200
_LONGEST_BOX: Final = 400
_SENTENCE_END: Final = re.compile(r"\n|(?<!\bRs)[.!?](?=[*_\")\]$]{0,3}\s{1,5}[A-Z])")
_LINE_END: Final = re.compile(r"\n")


@dataclass(frozen=True, slots=True)
class Marker:
    """An announcement of an answer: what it says starts at ``end``."""

    rule: str
    start: int
    end: int


def cut(text: str) -> int:
    """Return where the response ends: at the first end mark or the start of a new question.

    A response that opens with "Question:" repeats its own question and is not cut there.
    """
    end = len(text)
    if mark := _END_MARK.search(text):
        end = mark.start()
    content = len(text) - len(text.lstrip())
    for opening in _NEW_QUESTION.finditer(text, 0, end):
        if opening.start() > content:
            end = opening.start()
            break
    # Within a line "Question:" is a new question only after an answer; before, it is a way to speak.
    if question := _INLINE_QUESTION.search(text, 0, end):
        matches = _MARKER.finditer(_lower(text), 0, end)
        first = next((match for match in matches if _is_marker(text, match, end)), None)
        if first and (question := _INLINE_QUESTION.search(text, first.end(), end)):
            end = question.start()
    return end


def last_markers(text: str, end: int) -> list[Marker]:
    """Find the last markers before ``end``, in the order of the text.

    Only so many are kept: more are no response but a loop.
    """
    matches = deque(_MARKER.finditer(_lower(text), 0, end), maxlen=_MOST_MARKERS)
    return [Marker(_RULES[str(match.lastgroup)], *match.span()) for match in matches if _is_marker(text, match, end)]


def _lower(text: str) -> str:
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    # A few letters have a longer lower case, which would move every position after them.
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _is_marker(text: str, match: re.Match[str], end: int) -> bool:
    """Check what cannot be seen in lower case or behind a fixed distance."""
    if match.lastgroup == "line":
        return text[match.start()] == "A" and _opens_line(text, match.start())
    return match.lastgroup != "bare" or _BARE_VALUE.match(text, match.end(), end) is not None


def _opens_line(text: str, position: int) -> bool:
    before = text[max(0, position - 20) : position]
    return not before.rpartition("\n")[2].strip() and (len(before) < 20 or "\n" in before)


def statement(text: str, marker: Marker, end: int, longest: int) -> tuple[int, int]:
    """Return where the statement after a marker starts and ends.

    It is the content of a box, otherwise the rest of the sentence and never more than the line; after a
    marker with nothing beside it, the next line that has something.

    Args:
        text: The response.
        marker: The marker.
        end: Where the response ends or the next marker starts.
        longest: Longest statement considered, in characters.
    """
    if marker.rule == "boxed":
        return marker.end, _closing_brace(text, marker.end, min(end, marker.end + _LONGEST_BOX))
    stop = min(end, marker.end + longest)
    start = marker.end
    first_line = _LINE_END.search(text, start, stop)
    if first_line and not any(map(str.isalnum, text[start : first_line.start()])):
        while start < stop and not text[start].isalnum():
            start += 1
        # Back to what belongs to the answer, such as a sign or an opening bracket.
        while start > first_line.end() and not text[start - 1].isspace():
            start -= 1
    ending = _SENTENCE_END.search(text, start, stop)
    return start, ending.start() if ending else stop


def _closing_brace(text: str, start: int, stop: int) -> int:
    depth = 1
    for position in range(start, stop):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    line = text.find("\n", start, stop)
    return stop if line < 0 else line
