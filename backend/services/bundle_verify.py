"""A bundle's numbers beside the ones made again from its candidates, without a database."""

from typing import Final

from pydantic import ValidationError

from backend.errors import AppError
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import figures
from backend.services.bundle_archive import Bundle, BundleRefused
from backend.services.bundle_found import Verification
from backend.services.bundle_numbers import Numbers

_TABLE_OF_FIGURES: Final = "paired-t"
"""The table under this test has what figures show, which no test changes."""


def verify(bundle: Bundle) -> Verification:
    """Grade, measure and compare again.

    Raises:
        BundleRefused: If a file is not what a bundle's file has to be.
    """
    try:
        return _Verifier(bundle).run()
    except (KeyError, TypeError, AttributeError, ValidationError, ValueError) as error:
        # Hashes match, so somebody wrote a file of another shape.
        what = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}" if str(error) else type(error).__name__
        raise BundleRefused(f"A file of the bundle has another form than this program writes ({what}).") from error


class _Verifier:
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        about = bundle.json("chosen.json" if "chosen.json" in bundle.names else "experiment.json")
        self._found = Verification(str(about["name"]))
        self._numbers = Numbers(bundle, self._found)

    def run(self) -> Verification:
        self._compare_results()
        for name in self._bundle.names:
            if name.startswith("tables/") and name.endswith(".json"):
                self._compare_table(name)
            folder, _, figure = name.removesuffix(".json").rpartition("/")
            if folder.split("/")[0] == "figures" and figure in figures.FROM_NUMBERS:
                self._compare_figure(name, folder, figure)
        missing = [run["cell"] for run in self._numbers.places if run["state"] != "succeeded"]
        if missing:
            self._found.notes.append(
                f"{len(missing)} runs had not ended well when the bundle was written, '{missing[0]}' first: their "
                "cells are missing from the table."
            )
        return self._found

    def _compare_results(self) -> None:
        stored = {(str(row["run_id"]), str(row["metric"])): row for row in self._bundle.lines("results.jsonl")}
        made = {(run_id, item.metric): item for run_id, found in self._numbers.measured.items() for item in found}
        for key in sorted(set(stored) | set(made)):
            where = f"{self._numbers.runs[key[0]]['cell']}: {key[1]}"
            row, item = stored.get(key, {}), made.get(key)
            if not row or item is None:
                self._found.compare(
                    "results", where, "measured" if row else "missing", "measured" if item else "missing"
                )
                continue
            self._found.compare("results", where, row["value"], item.value)
            self._found.compare("results", f"{where}, n", row["n"], item.n)
            for name in sorted(set(row["details"]) | set(item.details)):
                self._found.compare("results", f"{where}, {name}", row["details"].get(name), item.details.get(name))

    def _compare_table(self, name: str) -> None:
        body = self._bundle.json(name)
        stored = Comparison.model_validate(body["table"])
        options = ComparisonOptions.model_validate(body["options"])
        try:
            made = self._numbers.table(options)
        except AppError as error:
            raise BundleRefused(f"{name}: {error.detail}") from error
        part = "tables"
        self._found.compare(part, f"{name}: baseline", stored.baseline, made.baseline)
        rows = {row.method: row for row in stored.rows}
        for row in made.rows:
            theirs = rows.pop(row.method, None)
            if theirs is None:
                self._found.compare(part, f"{name}: {row.method}", "missing", "there")
                continue
            for metric, statistic in row.statistics.items():
                other = theirs.statistics.get(metric)
                before = other.model_dump() if other is not None else {}
                for key, value in statistic.model_dump().items():
                    self._found.compare(part, f"{name}: {row.method}, {metric}, {key}", before.get(key), value)
        for method in rows:
            self._found.compare(part, f"{name}: {method}", "there", "missing")
        self._found.compare(part, f"{name}: notes", stored.notes, made.notes)

    def _compare_figure(self, name: str, folder: str, figure: str) -> None:
        """The numbers beside a figure; its drawing depends on the version of the library that draws."""
        table = f"tables{folder.removeprefix('figures')}/{_TABLE_OF_FIGURES}.json"
        options = ComparisonOptions.model_validate(self._bundle.json(table)["options"])
        made = self._numbers.table(options)
        made.rows = [row for row in made.rows if row.method not in options.hidden]
        expected = figures.of_numbers(made, figure)
        stored = self._bundle.json(name)
        self._found.compare("figures", f"{name}: columns", stored["columns"], expected.columns)
        rows = {str(row[0]): list(row[1:]) for row in stored["rows"]}
        for label, *numbers in expected.rows:
            theirs = rows.pop(str(label), None)
            if theirs is None or len(theirs) != len(numbers):
                self._found.compare("figures", f"{name}: {label}", theirs, numbers)
                continue
            for column, before, number in zip(expected.columns[1:], theirs, numbers, strict=True):
                self._found.compare("figures", f"{name}: {label}, {column}", before, number)
        for label in rows:
            self._found.compare("figures", f"{name}: {label}", "there", "missing")
