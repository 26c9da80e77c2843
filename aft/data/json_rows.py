"""Rows of JSON: one object a line, or the elements of one array, both streamed."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from aft.data.sources import FileError, Limits, RowError, Source, excerpt

Row = dict[str, Any]

_STRUCTURE: Final = re.compile(rb'["\[\]{},]')
_STRING: Final = re.compile(rb'["\\]')
_BREAK: Final = re.compile(rb'[\[\]{}]|"(?:[^"\\]|\\.)*+"', re.DOTALL)
_UNSAFE_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
MAX_DIGITS: Final = 1000
_CONTAINERS: Final = (dict, list)
_TOO_DEEP: Final = "Objects and lists are nested more than {} levels deep. Flatten the row."
_BLANK: Final = b" \t\r\n"


class _DuplicateKey(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKey(key)
            seen.add(key)
    return row


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON. Write null where there is no number")


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large")
    return number


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits):,} digits; at most {MAX_DIGITS:,} are read")
    return int(digits)


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
).raw_decode


def parse_row(raw: bytes, row_number: int, limits: Limits) -> Row | RowError:
    """Parse one object; what is wrong with it is returned, not raised."""

    def error(reason: str, column: str | None = None) -> RowError:
        return RowError(column, reason, row_number=row_number, excerpt=excerpt(raw))

    try:
        text = raw.decode()
        row, end = _decode(text)
        if end != len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except UnicodeDecodeError as bad:
        return error(f"Byte 0x{raw[bad.start]:02x} at position {bad.start + 1} is not UTF-8. Save the file as UTF-8.")
    except _DuplicateKey as bad:
        return error("The key stands twice in the row. Keep one of the two.", str(bad))
    except json.JSONDecodeError as bad:
        return error(f"Not valid JSON: {bad.msg} at position {bad.pos + 1}. Every row has to be one JSON object.")
    except ValueError as bad:  # NaN, Infinity, or an integer of thousands of digits
        return error(f"A number cannot be read: {bad}.")
    except RecursionError:
        return error(_TOO_DEEP.format(limits.depth))
    if not isinstance(row, dict):
        return error(f"The row is {_kind(row)}, not an object with named columns.")
    if len(row) > limits.columns:
        return error(f"The row has {len(row):,} columns; at most {limits.columns:,} are read.")
    for value in row.values():
        if type(value) in _CONTAINERS:
            if _depth(raw) > limits.depth:
                return error(_TOO_DEEP.format(limits.depth))
            break
    if _UNSAFE_ESCAPE.search(raw):
        for column, value in row.items():
            if reason := unsafe_text([column, value]):
                return error(reason, excerpt(column))
    return row


def unsafe_text(value: object) -> str | None:
    """Why a value holds text that can be neither stored nor shown, or None."""
    match value:
        case str():
            if "\x00" in value:
                return "The text holds a NUL character. Remove it."
            if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
                return "The text holds half a surrogate pair, which is no character. Remove it."
        case dict():
            return next(filter(None, map(unsafe_text, [*value.keys(), *value.values()])), None)
        case list() | tuple():
            return next(filter(None, map(unsafe_text, value)), None)
    return None


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case list():
            return "a list"
    return "a number"


def _depth(raw: bytes) -> int:
    """How deep objects and lists are nested in valid JSON."""
    depth = deepest = 0
    for found in _BREAK.finditer(raw):
        match found.group()[0]:
            case 0x7B | 0x5B:
                depth += 1
                deepest = max(deepest, depth)
            case 0x7D | 0x5D:
                depth -= 1
    return deepest


def jsonl_rows(source: Source, limits: Limits) -> Iterator[tuple[int, Row | RowError]]:
    """Read one object a line; the row number is the line number, blank lines are passed over."""
    for number, line in enumerate(source.lines(), start=1):
        if line is None:
            yield number, _too_long(number, limits)
        elif raw := line.strip(_BLANK):
            yield number, parse_row(raw, number, limits)


def _too_long(number: int, limits: Limits) -> RowError:
    return RowError(
        None, f"The row is longer than {limits.row_bytes:,} bytes. Shorten it or leave it out.", row_number=number
    )


def array_rows(source: Source, limits: Limits) -> Iterator[tuple[int, Row | RowError]]:
    """Read the elements of one array; the row number is the element's place, from 1.

    Raises:
        FileError: If something other than white space follows the array.
    """
    for number, (raw, closed) in enumerate(_elements(source, limits), start=1):
        if raw is None:
            yield number, _too_long(number, limits)
        elif not closed:
            reason = "The file ends inside the array: it was cut off, or a bracket or quote is missing in this row."
            yield number, RowError(None, reason, row_number=number, excerpt=excerpt(raw))
        else:
            yield number, parse_row(raw, number, limits)


def _elements(source: Source, limits: Limits) -> Iterator[tuple[bytes | None, bool]]:
    """Cut an array into its elements without building them.

    Yields:
        The element's bytes, None when longer than the cap, and whether the element was complete.
    """
    depth, in_string = 0, False
    parts: list[bytes] = []
    held, opened, any_element = 0, False, False
    position = 0  # in the current chunk; may lie behind its end after a backslash
    while chunk := source.read():
        start = 0
        if not opened:
            start = position = len(chunk) - len(chunk.lstrip(_BLANK)) + 1
            depth, opened = 1, True
        while depth and (found := (_STRING if in_string else _STRUCTURE).search(chunk, position)):
            position = found.end()
            token = chunk[found.start()]
            if token == 0x5C:  # backslash: the next byte is not a quote
                position += 1
            elif token == 0x22:
                in_string = not in_string
            elif token in b"{[":
                depth += 1
            elif depth == 1:  # a comma, or the end of the array
                piece = chunk[start : found.start()]
                held += len(piece)
                element = None if held > limits.row_bytes else b"".join([*parts, piece]).strip(_BLANK)
                if element or element is None or token == 0x2C or any_element:
                    any_element = True
                    yield element, True
                parts, held, start = [], 0, position
                if token != 0x2C:
                    depth = 0
            elif token in b"}]":
                depth -= 1
        if depth == 0:
            rest = chunk[start:]
            while not rest.strip(_BLANK) and (rest := source.read()):
                pass
            if rest.strip(_BLANK):
                raise FileError(f"After the array the file goes on with {excerpt(rest, 40)!r}. Remove it.")
            return
        piece = chunk[start:]
        held += len(piece)
        parts = [*parts, piece] if held <= limits.row_bytes else []
        position = max(0, position - len(chunk))
    if held > limits.row_bytes:
        yield None, False
    elif depth:
        yield b"".join(parts).strip(_BLANK), False
