"""Uploads that are broken, huge or malicious: each gets a message, none stops the rows after it."""

import gzip
import os
import resource
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aft.data import sources
from aft.data.readers import FileError, Limits, RowError, read_rows

GOOD = b'{"question": "q", "answer": "1"}'
MIB = 1 << 20


def read(tmp_path: Path, content: bytes, name: str = "x.jsonl", limits: Limits | None = None) -> list[Any]:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return [row for _, row in read_rows(path, name, limits or Limits())]


def errors(rows: list[Any]) -> list[RowError]:
    return [row for row in rows if isinstance(row, RowError)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"question": "q", "answer": NaN}', "NaN is not JSON"),
        (b'{"question": "q", "answer": -Infinity}', "Infinity is not JSON"),
        (b'{"question": "q", "answer": 1e999}', "1e999 is too large"),
        (b'{"question": "q", "question": "r"}', "stands twice"),
        (b'{"question": {"a": 1, "a": 2}}', "stands twice"),
        (b'{"question": "\\ud800"}', "half a surrogate pair"),
        (b'{"\\udfff": 1}', "half a surrogate pair"),
        (b'{"question": ["x", {"y": "\\u0000"}]}', "NUL character"),
        (b'{"question": "a\x00b"}', "Invalid control character"),
        (b'{"question": "caf\xe9"}', "Byte 0xe9 at position 18 is not UTF-8"),
        (b'{"question": "q"', "Not valid JSON"),
        (b"[1, 2]", "is a list"),
        (b'"text"', "is a text"),
        (b"null", "is null"),
        (b"12", "is a number"),
        (b'{"n": ' + b"9" * 5000 + b"}", "integer of 5,000 digits"),
        (b'{"n": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested more than 32 levels"),
        (b'{"n": ' * 40 + b"1" + b"}" * 40, "nested more than 32 levels"),
        (b"{" + b",".join(b'"c%d": 1' % i for i in range(600)) + b"}", "600 columns"),
    ],
)
def test_bad_line_is_one_row_error_and_reading_goes_on(tmp_path: Path, line: bytes, reason: str) -> None:
    rows = read(tmp_path, b"\n".join([GOOD, line, GOOD]))
    assert len(rows) == 3
    (error,) = errors(rows)
    assert reason in error.reason
    assert error.row_number == 2
    assert len(error.excerpt) <= 160
    error.excerpt.encode()
    assert "\x00" not in error.excerpt


def test_column_of_an_unstorable_text_is_named(tmp_path: Path) -> None:
    (error,) = errors(read(tmp_path, GOOD + b'\n{"question": "q", "answer": "\\u0000"}'))
    assert error.column == "answer"


def test_surrogate_pairs_and_escaped_backslashes_are_fine(tmp_path: Path) -> None:
    rows = read(tmp_path, b'{"a": "\\ud83d\\ude00", "b": "\\\\ud800", "c": "\\\\u0000"}')
    assert rows == [{"a": "😀", "b": "\\ud800", "c": "\\u0000"}]


def test_large_integers_are_exact(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"n": 123456789012345678901234567890}') == [{"n": 123456789012345678901234567890}]


def sparse(path: Path, size: int, before: bytes, after: bytes) -> None:
    with path.open("wb") as file:
        file.write(before + b"x" * 70_000)  # the zeros behind it begin after the part that is looked at first
        file.seek(size)
        file.write(after)
    assert path.stat().st_size >= size


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("x.jsonl", GOOD + b'\n{"a": "', b'"}\n' + GOOD + b"\n"),
        ("x.json", b"[" + GOOD + b', {"a": "', b'"}, ' + GOOD + b"]"),
        ("x.csv", b"question,answer\nq,1\n", b"\nq,1\n"),
    ],
)
def test_line_of_200_megabytes_is_skipped_in_little_memory(
    tmp_path: Path, name: str, before: bytes, after: bytes
) -> None:
    path = tmp_path / name
    sparse(path, 200 * MIB, before, after)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = [row for _, row in read_rows(path, name)]
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used) / 1024
    assert [isinstance(row, RowError) for row in rows] == [False, True, False]
    assert "longer than 4,194,304 bytes" in errors(rows)[0].reason
    assert grown_mib < 100


def gzip_of(chunks: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*map(packer.compress, chunks), packer.flush()])


def test_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = gzip_of(b" " * MIB if i else GOOD + b"\n" for i in range(260))
    assert len(bomb) < MIB
    with pytest.raises(FileError, match="unpacks to more than"):
        read(tmp_path, bomb)


def test_unpacked_size_is_capped(tmp_path: Path) -> None:
    content = gzip.compress(b'{"a": "' + os.urandom(MIB).hex().encode() + b'"}\n')
    with pytest.raises(FileError, match="more than 1,048,576 bytes after unpacking"):
        read(tmp_path, content, limits=Limits(decompressed_bytes=MIB))


def test_cut_off_gzip_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gzip data is broken"):
        read(tmp_path, gzip.compress((GOOD + b"\n") * 1000)[:-20])
    with pytest.raises(FileError, match="gzip data is broken"):
        read(tmp_path, b"\x1f\x8bnot gzip at all")


def test_gzip_in_gzip_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="packed with gzip twice"):
        read(tmp_path, gzip.compress(gzip.compress(GOOD)))


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileError, match="is empty"):
        read(tmp_path, content)


@pytest.mark.parametrize(("content", "name"), [(b"question,answer\n", "x.csv"), (b"a\tb", "x.tsv"), (b"[]", "x.json")])
def test_file_without_rows_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    with pytest.raises(FileError, match="no rows"):
        read(tmp_path, content, name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_refused_with_the_remedy(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(FileError, match="Save it as UTF-8"):
        read(tmp_path, GOOD.decode().encode(encoding))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\x89PNG\r\n", "PNG"),
        (bytes(range(256)) * 64, "binary"),
        (os.urandom(65536).replace(b"\x1f\x8b", b"\x1f\x00"), "binary"),
    ],
)
def test_binary_file_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(FileError, match=what):
        read(tmp_path, b"\x01" + content if what == "binary" else content)


def test_one_object_over_several_lines_is_explained(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="one object a line"):
        read(tmp_path, b'{\n  "question": "q"\n}\n', "x.json")


def test_array_that_is_cut_off_ends_in_a_row_error(tmp_path: Path) -> None:
    rows = read(tmp_path, b"[" + GOOD + b', {"question": "never clo', "x.json")
    assert rows[0] == {"question": "q", "answer": "1"}
    assert "ends inside the array" in rows[1].reason


def test_text_after_an_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="goes on with"):
        read(tmp_path, b"[" + GOOD + b"] []", "x.json")


def test_bad_elements_of_an_array_are_row_errors(tmp_path: Path) -> None:
    rows = read(tmp_path, b"[1, " + GOOD + b", {bad}, , " + GOOD + b"]", "x.json")
    assert [isinstance(row, RowError) for row in rows] == [True, False, True, True, False]


def test_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = read(tmp_path, b'question,answer\n"open,1\na,2\nb,3\n', "x.csv")
    assert "never closed" in rows[0].reason
    assert rows[1:] == [{"question": "a", "answer": "2"}, {"question": "b", "answer": "3"}]


def test_open_quote_does_not_swallow_a_large_file(tmp_path: Path) -> None:
    content = b'question,answer\n"open,1\n' + b"a,2\n" * 5_000
    rows = read(tmp_path, content, "x.csv", Limits(row_bytes=1000))
    assert len(errors(rows)) == 1
    assert len(rows) == 5_001


def test_rows_that_all_open_a_quote_are_given_up(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="too many rows"):
        read(tmp_path, b"a,b\n" + b'x","\n' * 10_000, "x.csv", Limits(row_bytes=1_000))


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (b"a,b,c", None, "3 cells and the table 2 columns"),
        (b"a", None, "1 cells"),
        (b"a,b\x00c", "answer", "NUL"),
        (b"caf\xe9,b", "question", "Byte 0xe9 is not UTF-8"),
    ],
)
def test_bad_table_rows_are_row_errors(tmp_path: Path, line: bytes, column: str | None, reason: str) -> None:
    rows = read(tmp_path, b"question,answer\nq,1\n" + line + b"\nq,1\n", "x.csv")
    assert len(rows) == 3
    (error,) = errors(rows)
    assert reason in error.reason
    assert (error.column, error.row_number) == (column, 2)


def test_table_with_too_many_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="600 columns"):
        read(tmp_path, b",".join(b"c%d" % i for i in range(600)) + b"\n", "x.csv")


def test_cells_longer_than_the_csv_modules_own_cap_are_read(tmp_path: Path) -> None:
    (row,) = read(tmp_path, b"question,answer\n" + b"x" * 300_000 + b",1\n", "x.csv")
    assert len(row["question"]) == 300_000


def write_parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", pa.table({"a": ["x"] * 1000}))
    content = path.read_bytes()
    for broken in (content[:-20], content[: len(content) // 2], b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1"):
        with pytest.raises(FileError, match="damaged"):
            read(tmp_path, broken, "x.parquet")
    with pytest.raises(FileError, match="is not a Parquet file"):
        read(tmp_path, b"question,answer\n", "x.parquet")


def test_parquet_rows_with_unstorable_values_are_row_errors(tmp_path: Path) -> None:
    table = pa.table({"a": ["x", "nul \x00", "y"], "b": [b"ok", b"ok", b"\xff\xfe"]})
    rows = [row for _, row in read_rows(write_parquet(tmp_path / "x.parquet", table), "x.parquet")]
    assert rows[0] == {"a": "x", "b": "ok"}
    assert [error.column for error in errors(rows)] == ["a", "b"]


def test_parquet_text_that_is_not_utf8_is_a_row_error(tmp_path: Path) -> None:
    text = pa.array([b"fine", b"caf\xe9", b"fine"]).view(pa.string())
    path = write_parquet(tmp_path / "x.parquet", pa.table({"a": text}))
    rows = [row for _, row in read_rows(path, path.name)]
    assert [isinstance(row, RowError) for row in rows] == [False, True, False]
    assert errors(rows)[0].column == "a"
    assert errors(rows)[0].row_number == 2


def test_parquet_caps_hold(tmp_path: Path) -> None:
    wide = write_parquet(tmp_path / "wide.parquet", pa.table({f"c{i}": [1] for i in range(600)}))
    with pytest.raises(FileError, match="600 columns"):
        list(read_rows(wide, wide.name))
    large = write_parquet(tmp_path / "large.parquet", pa.table({"a": [os.urandom(500).hex(), "y"]}))
    rows = [row for _, row in read_rows(large, large.name, Limits(row_bytes=100))]
    assert [isinstance(row, RowError) for row in rows] == [True, False]
    with pytest.raises(FileError, match="after unpacking"):
        list(read_rows(large, large.name, Limits(decompressed_bytes=700)))


def test_deeply_nested_parquet_is_refused(tmp_path: Path) -> None:
    value = pa.array([1])
    for _ in range(80):
        value = pa.StructArray.from_arrays([value], names=["x"])
    path = write_parquet(tmp_path / "deep.parquet", pa.table({"a": value}))
    with pytest.raises(FileError, match="nested more than 32 levels"):
        list(read_rows(path, path.name))


def test_excerpts_can_be_stored_and_shown() -> None:
    assert sources.excerpt(b"a\x00b\nc\xff") == "a\N{REPLACEMENT CHARACTER}b c\N{REPLACEMENT CHARACTER}"
    assert sources.excerpt("\ud800x") == "\N{REPLACEMENT CHARACTER}x"
