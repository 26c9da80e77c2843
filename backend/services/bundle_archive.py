"""Opening a bundle that anybody may have made: nothing is unpacked, and the manifest names all that is read.

Refused with a plain reason: files that are no zip or are cut short, names outside the bundle's own, links, encryption,
entries that overlap or repeat, more bytes than promised, and contents whose sha256 is not the manifest's.
"""

import hashlib
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NoReturn

from backend.errors import Invalid
from backend.services.bundles import FORMAT, FORMAT_VERSION

MAX_ENTRIES: Final = 50_000
MAX_BYTES: Final = 64 * 2**30
MAX_RATIO: Final = 400
"""Uncompressed over compressed bytes of an entry. Text as ours stays below 50; deflate itself ends near 1,030."""
MAX_JSON_BYTES: Final = 64 * 2**20
MAX_LINE_BYTES: Final = 16 * 2**20
_SMALL_ENTRY: Final = 2**20
_BLOCK: Final = 1 << 20
_NAME: Final = re.compile(
    r"(README\.md|[a-z]{1,20}\.(json|jsonl|yaml)|[a-z]{1,20}/(?:[a-z0-9]{1,16}/)?[a-z0-9-]{1,64}\.(json|jsonl|csv|tex))"
)
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class BundleRefused(Invalid):
    """The file is not a bundle that can be trusted to be whole."""

    title = "The bundle cannot be used"


class Bundle:
    """An open bundle; every file is hashed once before anything in it is believed.

    Args:
        path: The zip.

    Raises:
        BundleRefused: If it is not a whole, well-formed bundle of a version this program knows.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BundleRefused(f"There is no file {path}.", remedy="Name a bundle that exists.") from None
        except _BROKEN as error:
            raise BundleRefused(
                f"{path.name} is no zip archive, or it is cut short ({error}).", remedy="Download the bundle again."
            ) from error
        try:
            self._entries = {entry.filename: entry for entry in _checked(self._archive.infolist())}
            self.manifest = self._read_manifest()
            self.names = sorted(self.manifest["files"])
            for name in self.names:
                self._check_hash(name)
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()

    def has(self, name: str) -> bool:
        """Whether the bundle holds this file."""
        return name in self.manifest["files"]

    def json(self, name: str) -> Any:
        """A whole JSON file."""
        if name not in self._entries:
            _refuse(f"The bundle has no {name}.")
        if self._entries[name].file_size > MAX_JSON_BYTES:
            _refuse(f"{name} claims {self._entries[name].file_size:,} bytes; at most {MAX_JSON_BYTES:,} are read.")
        with self._open(name) as file:
            return _parse(self._read(file, name, MAX_JSON_BYTES + 1), name)

    def lines(self, name: str) -> Iterator[Any]:
        """The objects of a JSON Lines file, one at a time."""
        if name not in self._entries:
            _refuse(f"The bundle has no {name}.")
        with self._open(name) as file:
            number = 0
            while True:
                number += 1
                try:
                    line = file.readline(MAX_LINE_BYTES + 1)
                except _BROKEN as error:
                    _refuse(f"{name} cannot be read: {error}.")
                if not line:
                    return
                if len(line) > MAX_LINE_BYTES:
                    _refuse(f"Line {number} of {name} is longer than {MAX_LINE_BYTES:,} bytes.")
                found = _parse(line, f"line {number} of {name}")
                if not isinstance(found, dict):
                    _refuse(f"Line {number} of {name} is no JSON object.")
                yield found

    def _read_manifest(self) -> dict[str, Any]:
        manifest = self.json("manifest.json")
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            _refuse("manifest.json does not say that this is a reproduction bundle of AFT Workbench.")
        version = manifest.get("format_version")
        if version != FORMAT_VERSION:
            _refuse(
                f"The bundle's format version is {version!r}; this program reads {FORMAT_VERSION}.",
                remedy="Use the version of AFT Workbench that wrote it.",
            )
        files = manifest.get("files")
        if not isinstance(files, dict) or not all(isinstance(item, dict) for item in files.values()):
            _refuse("manifest.json lists no files.")
        held = set(self._entries) - {"manifest.json"}
        for what, names in (("not in the archive", set(files) - held), ("not in the manifest", held - set(files))):
            if names:
                _refuse(f"{len(names)} files are {what}, {min(names)[:80]!r} first.")
        return manifest

    def _check_hash(self, name: str) -> None:
        digest, size = hashlib.sha256(), 0
        with self._open(name) as file:
            while block := self._read(file, name, _BLOCK):
                digest.update(block)
                size += len(block)
        said = self.manifest["files"][name]
        if said.get("sha256") != digest.hexdigest() or said.get("size_bytes") != size:
            _refuse(f"{name} was changed after the bundle was written: its sha256 is not the manifest's.")

    def _open(self, name: str) -> BinaryIO:
        try:
            opened: BinaryIO = self._archive.open(self._entries[name])  # type: ignore[assignment]
        except _BROKEN as error:
            _refuse(f"{name} cannot be opened: {error}.")
        return opened

    def _read(self, file: BinaryIO, name: str, size: int) -> bytes:
        try:
            return file.read(size)
        except _BROKEN as error:
            _refuse(f"{name} cannot be read: {error}.")


def _checked(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if len(entries) > MAX_ENTRIES:
        _refuse(f"The archive lists {len(entries):,} files; a bundle has at most {MAX_ENTRIES:,}.")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_BYTES:
        _refuse(f"The archive claims {total:,} bytes unpacked; a bundle has at most {MAX_BYTES:,}.")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if not _NAME.fullmatch(name):
            _refuse(f"The archive holds {name[:80]!r}, which is no name of a bundle's file.")
        if name in seen:
            _refuse(f"The archive holds {name!r} twice.")
        seen.add(name)
        if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
            _refuse(f"{name} is no plain file.")
        if entry.flag_bits & 0x1:
            _refuse(f"{name} is encrypted.")
        if entry.file_size > _SMALL_ENTRY and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            _refuse(f"{name} claims to unpack {entry.compress_size:,} bytes to {entry.file_size:,}.")
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for before, after in pairwise(ordered):
        if after.header_offset < before.header_offset + before.compress_size:
            _refuse(f"{before.filename} and {after.filename} share bytes of the archive.")
    return entries


def _parse(data: bytes, where: str) -> Any:
    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON number")

    try:
        return json.loads(data, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        _refuse(f"{where} is not JSON: {str(error)[:120]}.")


def _refuse(what: str, remedy: str = "Ask for the bundle again from where it was made.") -> NoReturn:
    raise BundleRefused(what, remedy=remedy)
