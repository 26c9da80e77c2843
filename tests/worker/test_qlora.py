"""Trainings on weights in 4 bits, run for real where bitsandbytes is installed: `make qlora`."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file
from sqlalchemy import select

from aft.adapters import is_adapter
from backend.db.models import Metric, Result
from backend.db.session import reading
from tests.factories import train_config
from tests.worker.computing import compute
from tests.worker.test_scale import final
from tests.worker.test_tasks import SAMPLING, Chain

pytestmark = [
    pytest.mark.qlora,
    # Of bitsandbytes' making: it says once which kernels a CPU lacks.
    pytest.mark.filterwarnings("ignore::UserWarning:bitsandbytes"),
    pytest.mark.filterwarnings("ignore::FutureWarning:bitsandbytes"),
]
QLORA = {"rank": 4, "alpha": 8.0, "quantize": "4bit"}


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    pytest.importorskip("bitsandbytes")
    return Chain()


def losses(run_id: str) -> list[float]:
    query = select(Metric.value).where(Metric.run_id == run_id, Metric.name == "train/loss").order_by(Metric.step)
    with reading() as session:
        return list(session.scalars(query))


def test_adapters_on_weights_in_4_bits_learn_resume_and_are_evaluated(chain: Chain) -> None:
    optimizer = {"epochs": 4, "learning_rate": 0.02}
    config = train_config(lora=QLORA, optimizer=optimizer, checkpoint_every_seconds=1e-6)
    whole = chain.made("train", config, start=chain.base)
    assert losses(whole)[-1] < 0.95 * losses(whole)[0]
    place = final(whole)[1]
    assert is_adapter(place)

    stopped = chain.new("train", config, start=chain.base)
    compute(stopped, looks=9)
    compute(stopped)
    ours, theirs = (load_file(final(run_id)[1] / "adapter_model.safetensors") for run_id in (stopped, whole))
    assert all((ours[name] == theirs[name]).all() for name in theirs)

    evaluation = chain.made("evaluate", {"kind": "evaluate", "max_new_tokens": 20}, checkpoint=whole)
    with reading() as session:
        assert session.get(Result, (evaluation, "task_accuracy")) is not None


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_ranking_loss_trains_on_them_in_two_passes(chain: Chain, precision: str) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    rated = chain.made("rate", {"kind": "rate", "judge": "oracle"}, candidates=sampled)
    method = {"name": "aft", "constraint": "boundary"}
    # So small a budget that no step is joint.
    config = train_config(method, lora=QLORA, feedback="ranking", precision=precision, tokens_per_microbatch=64)
    run_id = chain.made("train", config, start=chain.base, candidates=sampled, ratings=rated)
    assert all(value == value for value in losses(run_id))
    changed = load_file(final(run_id)[1] / "adapter_model.safetensors")
    assert any(name.endswith("lora_B.weight") and (factor != 0).any() for name, factor in changed.items())
