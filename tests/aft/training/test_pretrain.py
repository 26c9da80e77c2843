"""Making the built-in model, whole and in parts."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aft.arithmetic import VOCABULARY, pretraining_rows
from aft.config.training import BuiltinModelConfig
from aft.models import build_llama, build_tokenizer, load_model
from aft.training.checkpoints import CheckpointStore
from aft.training.pretrain import _row_ids, corpus_loss, pretrain
from aft.training.sinks import NullSink

CONFIG = BuiltinModelConfig(
    hidden_size=16, layers=1, heads=2, mlp_size=16, steps=24, rows_per_step=4, learning_rate=0.02
)


def stop_after(count: int) -> "list[bool]":
    return [False] * count + [True]


def test_stopped_and_resumed_model_has_the_same_bits(tmp_path: Path) -> None:
    whole = pretrain(CONFIG, None, NullSink(), lambda: False, CheckpointStore(tmp_path / "whole"))
    assert whole.final == tmp_path / "whole" / "final"
    for steps in (7, 9):
        answers = iter(stop_after(steps))
        part = pretrain(CONFIG, None, NullSink(), lambda: next(answers), CheckpointStore(tmp_path / "parts"))  # noqa: B023
        assert part.stopped
        assert part.final is None
    target = tmp_path / "elsewhere" / "model"
    last = pretrain(CONFIG, target, NullSink(), lambda: False, CheckpointStore(tmp_path / "parts"))
    assert (last.final, last.steps, last.stopped) == (target, 24, False)
    ours, theirs = load_file(target / "model.safetensors"), load_file(whole.final / "model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    model, tokenizer = load_model(target)
    assert model.config.vocab_size == len(tokenizer) == len(VOCABULARY)


def test_loss_falls_and_progress_reaches_the_end(tmp_path: Path) -> None:
    losses: list[float] = []
    progress: list[tuple[int, int, str]] = []

    class Sink(NullSink):
        def write(self, step: int, values: Mapping[str, float]) -> None:
            losses.append(values["train/loss"])

        def progress(self, done: int, total: int, phase: str) -> None:
            progress.append((done, total, phase))

    pretrain(CONFIG, None, Sink(), lambda: False, CheckpointStore(tmp_path))
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert progress[-1] == (24, 24, "pre-training")


def test_other_settings_do_not_resume(tmp_path: Path) -> None:
    answers = iter(stop_after(2))
    pretrain(CONFIG, None, NullSink(), lambda: next(answers), CheckpointStore(tmp_path))
    with pytest.raises(ValueError, match="written with other settings"):
        pretrain(
            CONFIG.model_copy(update={"corruption": 0.5}), None, NullSink(), lambda: False, CheckpointStore(tmp_path)
        )


def test_rows_are_tokenised_as_the_tokenizer_does() -> None:
    tokenizer = build_tokenizer(VOCABULARY)
    words = tokenizer.get_vocab()
    for text in pretraining_rows(0, 30):
        ids = _row_ids(words, text)
        assert ids[1:-1] == tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.unk_token_id not in ids


def test_padding_does_not_count() -> None:
    tokenizer = build_tokenizer(VOCABULARY)
    model = build_llama(CONFIG, tokenizer, seed=0)
    long, short = [1, 30, 40, 50, 60, 2], [1, 30, 2]
    together = corpus_loss(model, [long, short], pad=0)
    apart = (5 * corpus_loss(model, [long], pad=0) + 2 * corpus_loss(model, [short], pad=0)) / 7
    torch.testing.assert_close(together, apart)
