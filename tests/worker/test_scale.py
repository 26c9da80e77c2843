"""How a training runs: adapters through the whole chain, and what is refused before anything is computed."""

import importlib.metadata
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors.numpy import load_file

from aft.config.training import TrainConfig
from backend.db.models import Checkpoint, Result, Run
from backend.db.session import reading, transaction
from backend.errors import Conflict
from backend.services import checkpoints, model_checkpoints, model_exports
from tests.factories import train_config
from tests.worker.computing import compute
from tests.worker.test_tasks import SAMPLING, Chain
from worker import preflight
from worker.failures import RunFailure

LORA = {"rank": 4, "alpha": 8.0}


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def final(run_id: str) -> tuple[str, Path]:
    with reading() as session:
        checkpoint, place = checkpoints.final(session, run_id), checkpoints.final_directory(session, run_id)
    assert checkpoint is not None
    assert place is not None
    return checkpoint.id, place


def test_adapters_are_trained_resumed_sampled_evaluated_and_exported(chain: Chain, tmp_path: Path) -> None:
    config = train_config(lora=LORA, checkpoint_every_seconds=1e-6)
    whole = chain.made("train", config, start=chain.base)
    stopped = chain.new("train", config, start=chain.base)
    compute(stopped, looks=9)
    compute(stopped)
    checkpoint_id, place = final(whole)
    assert (place / "adapter_model.safetensors").stat().st_size < final(chain.base)[1].joinpath(
        "model.safetensors"
    ).stat().st_size
    ours, theirs = (load_file(final(run_id)[1] / "adapter_model.safetensors") for run_id in (stopped, whole))
    assert all((ours[name] == theirs[name]).all() for name in theirs)

    sampled = chain.made("sample", SAMPLING, checkpoint=whole)
    method = {"name": "aft", "constraint": "detached"}
    rated = chain.made("rate", {"kind": "rate", "judge": "oracle"}, candidates=sampled)
    stacked = chain.made(
        "train", train_config(method, lora=LORA, feedback="ranking"), start=whole, candidates=sampled, ratings=rated
    )
    evaluation = chain.made("evaluate", {"kind": "evaluate", "max_new_tokens": 20}, checkpoint=stacked)
    with reading() as session:
        assert session.get(Result, (evaluation, "task_accuracy")) is not None

    with reading() as session:
        alone = model_exports.prepare(session, checkpoint_id)
        merged = model_exports.prepare(session, final(stacked)[0], merged=True)
        lines = model_checkpoints.lines(session, model_checkpoints.page(session))
        with pytest.raises(Conflict, match="worth nothing on the base model alone"):
            model_exports.prepare(session, final(stacked)[0])
    exports = {line.run_id: line.exports for line in lines}
    assert [exports[run_id] for run_id in (chain.base, whole, stopped, stacked)] == [
        ["whole"],
        ["adapter", "merged"],
        ["adapter", "merged"],
        ["merged"],
    ]
    assert "library_name: peft" in alone.card
    assert "PeftModel.from_pretrained" in alone.card
    assert "| This is | adapter (LoRA) merged into the base model |" in merged.card
    assert "PeftModel" not in merged.card
    model_exports.write_directory(alone, tmp_path / "alone")
    model_exports.write_directory(merged, tmp_path / "merged")
    written = json.loads((tmp_path / "alone" / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == "tiny"
    assert str(place.parents[3]) not in (tmp_path / "alone" / "adapter_config.json").read_text()
    assert {item.name for item in (tmp_path / "merged").iterdir()} >= {"model.safetensors", "config.json", "README.md"}
    base, found = (load_file(where / "model.safetensors") for where in (final(chain.base)[1], tmp_path / "merged"))
    assert base.keys() == found.keys()
    changed = {name for name in base if (base[name] != found[name]).any()}
    assert changed == {name for name in base if "_proj" in name}

    with transaction() as session, pytest.raises(Conflict, match="worth nothing without this model"):
        model_checkpoints.delete(session, final(chain.base)[0], confirmed=True)


def refused(chain: Chain, config: dict[str, Any], **parents: str) -> RunFailure:
    with pytest.raises(RunFailure) as caught:
        compute(chain.new("train", config, **parents))
    return caught.value


def test_what_this_machine_cannot_do_is_refused_at_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    many = refused(chain, train_config(parallel={"processes": 64, "strategy": "ddp"}), start=chain.base)
    assert many.title.startswith("The training wants 64 processes, and this machine has")
    known = importlib.util.find_spec
    absent = {"deepspeed", "bitsandbytes"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in absent else known(name))
    quantised = refused(chain, train_config(lora={**LORA, "quantize": "4bit"}), start=chain.base)
    assert quantised.title == "bitsandbytes is not installed"
    assert "pip install 'bitsandbytes" in quantised.remedy
    assert "plain LoRA" in quantised.remedy
    missing = refused(chain, train_config(parallel={"strategy": "zero2"}), start=chain.base)
    assert missing.title == "DeepSpeed is not installed"
    assert "pip install" in missing.remedy


@pytest.mark.parametrize(
    ("device", "version", "title"),
    [
        ("cuda:0", None, "bitsandbytes is not installed"),
        ("cuda:0", "0.43.1", None),
        ("cpu", "0.49.2", "bitsandbytes 0.49.2 does not train on a CPU"),
        ("cpu", "0.50.0", None),
        ("mps", "0.50.0", "Weights in 4 bits need an NVIDIA GPU or a CPU"),
    ],
)
def test_four_bits_are_refused_where_they_cannot_be(
    monkeypatch: pytest.MonkeyPatch, device: str, version: str | None, title: str | None
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: version)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    config = TrainConfig.model_validate(train_config(lora={**LORA, "quantize": "4bit"}))
    context: Any = SimpleNamespace(device=device)
    if title is None:
        preflight._check_scale(context, config)
        return
    with pytest.raises(RunFailure) as caught:
        preflight._check_scale(context, config)
    assert caught.value.title == title
    assert "plain LoRA" in caught.value.remedy


def test_gpus_of_the_slot_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    config = TrainConfig.model_validate(train_config(parallel={"processes": 4, "strategy": "zero3"}))
    context: Any = SimpleNamespace(device="cuda:0")
    with pytest.raises(RunFailure, match="wants 4 processes, and this slot has 1 GPU") as caught:
        preflight._check_scale(context, config)
    assert "AFT_GPUS_PER_SLOT=4" in caught.value.remedy
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    preflight._check_scale(context, config)


def test_candidates_of_another_tokenizer_are_refused(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    place = final(chain.base)[1] / "tokenizer.json"
    whole = json.loads(place.read_text())
    words = whole["model"]["vocab"]
    first, second = sorted(words, key=words.__getitem__)[20:22]
    words[first], words[second] = words[second], words[first]
    place.write_text(json.dumps(whole))
    failure = refused(chain, train_config({"name": "rft"}), start=chain.base, candidates=sampled)
    assert "another tokenizer than that of the model 'start'" in failure.title


def test_a_model_without_an_end_token_is_refused(chain: Chain) -> None:
    place = final(chain.base)[1]
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (place / name).exists():
            settings = json.loads((place / name).read_text())
            settings.pop("eos_token", None)
            (place / name).write_text(json.dumps(settings))
    run_id = chain.new("train", train_config(), start=chain.base)
    with pytest.raises(ValueError, match="no end-of-sequence token"):
        compute(run_id)
    with reading() as session:
        assert session.get_one(Run, run_id).progress_done == 0
        assert session.query(Checkpoint).filter_by(run_id=run_id).count() == 0
