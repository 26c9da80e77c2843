import datetime
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aft.data.readers import FileError, Limits, RowError, container_of, read_rows

ROWS = [
    {"question": "a, b", "answer": 'line\n"two"'},
    {"question": "ü – ½", "answer": "\t"},
    {"question": "", "answer": "x"},
]
Read = list[tuple[int, dict[str, Any] | RowError]]


def read(tmp_path: Path, content: bytes, name: str, limits: Limits | None = None) -> Read:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return list(read_rows(path, name, limits or Limits()))


def parquet_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def csv_bytes(separator: str) -> bytes:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [["question", "answer"], *([row["question"], row["answer"]] for row in ROWS)]
    return "".join(separator.join(map(quoted, line)) + "\r\n" for line in lines).encode()


CONTENTS = {
    "x.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "x.json": json.dumps(ROWS, indent=2, ensure_ascii=False).encode(),
    "x.csv": csv_bytes(","),
    "x.tsv": csv_bytes("\t"),
    "x.parquet": parquet_bytes(pa.Table.from_pylist(ROWS)),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_kind_gives_the_same_rows(tmp_path: Path, name: str, packed: bool) -> None:
    content = gzip.compress(CONTENTS[name]) if packed else CONTENTS[name]
    # gzip is told by its first bytes: the name says nothing here
    assert read(tmp_path, content, name) == list(enumerate(ROWS, start=1))


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.tsv"])
def test_byte_order_mark_is_passed_over(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + CONTENTS[name], name) == list(enumerate(ROWS, start=1))


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": "' + b"x" * 100_000 + b'"}\n')
    path.write_bytes(path.read_bytes() * 30)
    told: list[int] = []
    assert len(list(read_rows(path, path.name, on_read=told.append))) == 30
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_line_numbers_count_blank_lines_and_the_last_line_needs_no_break(tmp_path: Path) -> None:
    assert read(tmp_path, b'\n{"a": 1}\r\n\n{"a": 2}', "x.jsonl") == [(2, {"a": 1}), (4, {"a": 2})]


def test_empty_table_columns_and_repeated_names_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, b",a,a\n0,1,2\n", "x.csv") == [(1, {"column 1": "0", "a": "1", "a (2)": "2"})]


def test_parquet_values_become_plain(tmp_path: Path) -> None:
    table = pa.table(
        {
            "nested": [{"label": ["A"], "text": ["x"]}],
            "day": [datetime.date(2024, 1, 2)],
            "price": [Decimal("1.50")],
            "missing": [float("nan")],
            "bytes": [b"text"],
            "number": [3],
        }
    )
    expected = {
        "nested": {"label": ["A"], "text": ["x"]},
        "day": "2024-01-02",
        "price": "1.50",
        "missing": None,
        "bytes": "text",
        "number": 3,
    }
    assert read(tmp_path, parquet_bytes(table), "x.parquet") == [(1, expected)]


def test_parquet_is_read_over_several_batches_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(2500))}), path, row_group_size=1100)
    assert [row["a"] for _, row in read_rows(path, path.name) if isinstance(row, dict)] == list(range(2500))


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b'{"a": 1}', "x", "jsonl"),
        (b' [\n{"a": 1}]', "x.json", "json"),
        (b'[{"a": 1}]', "x.jsonl", "json"),
        (b'{"a": 1}\n', "x.json", "jsonl"),
        (b"a\tb\n1\t2", "x.txt", "tsv"),
        (b"a,b\n1,2", "x.txt", "csv"),
        (b"[a],b\n", "x.csv", "csv"),
        (b"PAR1....", "x.csv", "parquet"),
    ],
)
def test_kind_is_told_by_content_then_name(head: bytes, name: str, expected: str) -> None:
    assert container_of(head, name) == expected


@given(
    rows=st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=3),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                max_leaves=4,
            ),
            max_size=3,
        ),
        min_size=1,
        max_size=5,
    ),
    indent=st.sampled_from([None, 1]),
    chunk=st.integers(1, 7),
    ascii_only=st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_arrays_are_cut_at_their_elements_wherever_chunks_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[dict[str, Any]],
    indent: int | None,
    chunk: int,
    ascii_only: bool,
) -> None:
    monkeypatch.setattr("aft.data.sources.CHUNK_BYTES", chunk)
    content = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode()
    assert read(tmp_path, content + b"\n \n", "x.json") == list(enumerate(rows, start=1))


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_lines_are_the_same_wherever_chunks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr("aft.data.sources.CHUNK_BYTES", chunk)
    for name in ("x.jsonl", "x.csv"):
        assert read(tmp_path, CONTENTS[name], name) == list(enumerate(ROWS, start=1))


def test_missing_parquet_columns_are_no_error_but_no_rows_are(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="has no rows"):
        read(tmp_path, parquet_bytes(pa.table({"a": pa.array([], pa.string())})), "x.parquet")
