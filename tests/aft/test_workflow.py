"""The way through the library on files: the documented script, the commands, and what they refuse."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from aft.__main__ import main
from aft.arithmetic import VOCABULARY, make_examples
from aft.config.training import BuiltinModelConfig, TrainConfig
from aft.models import build_llama, build_tokenizer
from aft.workflow import CandidateLine, fine_tune, rate, read_candidates, read_examples, write_lines

TUTORIAL = Path(__file__).parents[2] / "docs" / "library.md"
CONFIG = "method: {name: %s}\nfeedback: ranking\noptimizer: {epochs: 1}\nevaluations_per_run: 0\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documented_script_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(TUTORIAL), "exec"), names)  # our own documentation
    assert "Proportion(value=" in capsys.readouterr().out
    assert len(names["rated"]) == 24 * 4  # type: ignore[arg-type]  # a list
    assert (here / "aft" / "metrics.jsonl").exists()
    assert names["scores"].grad is not None  # type: ignore[attr-defined]  # a tensor


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    code = main(list(arguments))
    said = capsys.readouterr()
    assert code == 0, said.err
    answer: dict[str, object] = json.loads(said.out.splitlines()[-1])
    return answer


def test_commands_go_from_data_to_numbers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = build_tokenizer(VOCABULARY)
    model = build_llama(BuiltinModelConfig(hidden_size=16, layers=1, heads=2, mlp_size=16), tokenizer, seed=0)
    model.save_pretrained(here / "base")
    tokenizer.save_pretrained(here / "base")
    write_lines(
        here / "data.jsonl",
        ({"question": e.question, "reference": e.reference, "answer": e.answer} for e in make_examples("train", 3, 0)),
    )
    (here / "aft.yaml").write_text(CONFIG % "aft")
    (here / "vft.yaml").write_text(CONFIG % "vft")
    data = ("--data", "data.jsonl")
    trained = run("train", "--model", "base", *data, "--config", "vft.yaml", "--out", "vft", capsys=capsys)
    made = run(
        "sample", "--model", str(trained["model"]), *data, "--k", "3", "--max-new-tokens", "6", "--out", "c.jsonl",
        capsys=capsys,
    )  # fmt: skip
    assert made["candidates"] == 9
    assert run("rate", "c.jsonl", *data, capsys=capsys)["candidates"] == 9
    # So that there is something to rank, whatever an untrained model says.
    write_lines(
        here / "c.jsonl",
        [replace(line, rating=float(index)) for index, line in enumerate(read_candidates(here / "c.jsonl"))],
    )
    options = ("--candidates", "c.jsonl", "--config", "aft.yaml", "--out", "aft")
    trained = run("train", "--model", "base", *data, *options, capsys=capsys)
    found = run(
        "evaluate", "--model", str(trained["model"]), *data, "--max-new-tokens", "4", "--out", "a.jsonl", capsys=capsys
    )
    assert found["questions"] == 3
    assert len((here / "a.jsonl").read_text().splitlines()) == 3


def test_what_cannot_work_is_told_with_the_remedy(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "odd.jsonl").write_text('{"name": "Ann"}\n')
    assert main(["rate", "odd.jsonl", "--data", "odd.jsonl"]) == 1
    assert "Say which column holds what" in capsys.readouterr().err
    (here / "one.jsonl").write_text('{"question": "1?", "answer": "1"}\n')
    asked = ["sample", "--data", "one.jsonl", "--task", "gsm8k", "--model", "nowhere", "--out", "new.jsonl"]
    assert main(asked) == 1
    assert "There is no directory 'nowhere'" in capsys.readouterr().err
    assert not (here / "new.jsonl").exists()


def test_odd_files_are_named(here: Path) -> None:
    (here / "odd.jsonl").write_text('{"question": "1?", "answer": "1"}\n{"question": "", "answer": "1"}\n')
    with pytest.raises(ValueError, match=r"Row 2 of odd\.jsonl cannot be read"):
        read_examples(Path("odd.jsonl"), "gsm8k")
    (here / "candidates.jsonl").write_text('{"text": "no ids"}\n')
    with pytest.raises(ValueError, match=r"Line 1 of candidates\.jsonl is no candidate: it has no 'token_ids'"):
        read_candidates(Path("candidates.jsonl"))


def test_candidates_have_to_fit_the_data_and_be_rated(here: Path) -> None:
    (example,) = make_examples("train", 1, 0)
    line = CandidateLine("elsewhere", 0, (1,), "text", "stop", None, "unparsed")
    with pytest.raises(ValueError, match="There is no question 'elsewhere'"):
        rate([line], [example])
    with pytest.raises(ValueError, match="have the same id"):
        rate([line], [example, example])
    tokenizer = build_tokenizer(VOCABULARY)
    config = TrainConfig.model_validate({"method": {"name": "aft"}})
    with pytest.raises(ValueError, match=r"has no rating\. Rate it"):
        fine_tune(config, None, tokenizer, [example], [replace(line, question_id=example.id)], directory=here)
    with pytest.raises(ValueError, match="needs candidates and there are none"):
        fine_tune(config, None, tokenizer, [example], directory=here)
