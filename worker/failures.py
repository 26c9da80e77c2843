"""From an exception, or a process that just vanished, to a cause in plain words and a remedy."""

import errno
import re
import signal
import traceback
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError

from backend.errors import AppError

_TRACEBACK_CHARACTERS = 6000
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
_DISK_FULL = ("no space left", "disk is full", "disk full")
_FREE_DISK = "Free some space on the data directory's disk, then retry the run; it resumes from its checkpoint."
_LESS_MEMORY = (
    "Lower tokens_per_microbatch (training) or max_new_tokens, use a smaller model, or run fewer slots at a time; "
    "then retry the run."
)


class RunFailure(Exception):
    """A cause that is known in plain words."""

    def __init__(self, title: str, detail: str = "", remedy: str = "") -> None:
        super().__init__(title)
        self.title, self.detail, self.remedy = title, detail, remedy


def is_passing(error: BaseException) -> bool:
    """Whether another attempt may well succeed: the database went away."""
    if _is_disk_full(error):
        return False
    return isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def describe(error: BaseException, step: int | None = None) -> dict[str, Any]:
    """The run's error: title, detail, remedy, step and the end of the traceback."""
    title, detail, remedy = _in_words(error)
    lines = "".join(traceback.format_exception(error))
    return {
        "title": title,
        "detail": detail,
        "remedy": remedy,
        "step": step,
        "traceback": lines[-_TRACEBACK_CHARACTERS:],
    }


def describe_exit(code: int, step: int | None = None) -> dict[str, Any]:
    """The error of a process that ended without a word."""
    remedy = "Look at the end of the run's log, then retry the run; it resumes from its checkpoint."
    if code == -signal.SIGKILL:
        title = "The process was killed, probably out of memory"
        detail = "The operating system or somebody else ended it with signal 9."
        remedy = _LESS_MEMORY
    elif code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        title, detail = f"The process crashed ({name})", f"It was ended by signal {-code}."
    else:
        title, detail = "The process ended without a result", f"Its exit code was {code}."
    return {"title": title, "detail": detail, "remedy": remedy, "step": step}


def _in_words(error: BaseException) -> tuple[str, str, str]:
    text = str(error).strip()
    if isinstance(error, RunFailure):
        return error.title, error.detail, error.remedy
    if isinstance(error, AppError):
        return _split(error.detail)[0], error.detail, error.remedy
    if _is_disk_full(error):
        return "The disk is full", text, _FREE_DISK
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _OUT_OF_MEMORY):
        return "There was not enough memory", text.splitlines()[0] if text else "", _LESS_MEMORY
    if isinstance(error, OperationalError):
        return "The database did not answer", str(error.orig), "Check the database, then retry the run."
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"The setting {place} cannot work", str(first["msg"]), "Start a new run with a corrected setting."
    if isinstance(error, ValueError) and text:
        title, rest = _split(text)
        return title, text, rest
    first_line = text.splitlines()[0] if text else ""
    title = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return title[:200], text, "The run's log shows where; this may be a fault of the program."


def _split(text: str) -> tuple[str, str]:
    """First sentence, and what follows: our messages say what is wrong, then what to do."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z'\"])", text.strip(), maxsplit=1)
    return sentences[0].rstrip(".")[:300], sentences[1] if len(sentences) > 1 else ""


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return any(words in str(error).lower() for words in _DISK_FULL)
