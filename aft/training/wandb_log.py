"""What a Weights & Biases file of an earlier attempt holds.

Offline, the package does not go on with a run: it begins another file. What the earlier one holds has to be known, so
that no step is written twice, and what a killed process had not yet written is written now. ``.wandb`` files are
LevelDB logs of protocol buffers; ``wandb sync`` reads those of every earlier version, so their form stays.
"""

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_BLOCK_BYTES: Final = 32_768
_HEADER: Final = struct.Struct("<IHB")
"""CRC, bytes of the part, kind of the part."""
_FILE_HEADER_BYTES: Final = 7
_ENDS_RECORD: Final = frozenset({1, 4})
"""Kinds: whole 1, first 2, middle 3, last 4; 0 fills a block."""


def last_step(directory: Path, run_id: str) -> int:
    """The last step in the files of a run's earlier attempts, -1 if there is none.

    Args:
        directory: Where the package put the runs' directories.
        run_id: The run.
    """
    files = directory.glob(f"offline-run-*-{run_id}/run-{run_id}.wandb")
    return max((step for file in files for step in steps(file)), default=-1)


def records(data: bytes) -> Iterator[bytes]:
    """The whole records of a file; one that a killed process left unfinished is left out."""
    at, record = _FILE_HEADER_BYTES, b""
    while at + _HEADER.size <= len(data):
        left = _BLOCK_BYTES - at % _BLOCK_BYTES
        if left < _HEADER.size:
            at += left
            continue
        _, size, kind = _HEADER.unpack_from(data, at)
        if kind == 0:
            at += left
            continue
        start, at = at + _HEADER.size, at + _HEADER.size + size
        if at > len(data):
            return
        record += data[start:at]
        if kind in _ENDS_RECORD:
            yield record
            record = b""


def steps(file: Path) -> Iterator[int]:
    """Steps of the rows in a file, in their order."""
    form: Any = import_module("wandb.proto.wandb_internal_pb2").Record
    for data in records(file.read_bytes()):
        record = form.FromString(data)
        if record.WhichOneof("record_type") == "history":
            for item in record.history.item:
                if item.key == "_step" or list(item.nested_key) == ["_step"]:
                    yield int(json.loads(item.value_json))
