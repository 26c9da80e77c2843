"""DeepSpeed's ZeRO: the optimizer's state, the gradients and the weights spread over the processes.

DeepSpeed computes, reduces and updates; checkpoints are ours, in the form of every other strategy. They hold no
pickle, are whole or not there, and can be resumed with another number of processes or another strategy.
"""

import copy
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import HashStore

from aft.config.training import TrainConfig
from aft.training.accumulation import add_step_gradient, share_of
from aft.training.batches import TrainingBatch
from aft.training.checkpoints import LoadedCheckpoint, check_same_model
from aft.training.gradients import BatchLoss
from aft.training.lockstep import Lockstep, OtherFailed, ScoringModule
from aft.training.optimization import make_optimizer
from aft.training.ranks import Ranks
from aft.training.strategies import sum_over

_MOMENTS = ("exp_avg", "exp_avg_sq")
_REMEDY = "Install it with: pip install 'deepspeed>=0.19.8' (DS_BUILD_OPS=0 in the environment skips its kernels)"


def import_deepspeed() -> Any:
    """DeepSpeed, told the device before it looks for one itself.

    Raises:
        ValueError: If it is not installed or cannot be loaded.
    """
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    try:
        import deepspeed
    except Exception as error:
        # It looks for compilers and drivers while it is imported, and what it raises then is anything.
        raise ValueError(f"DeepSpeed cannot be loaded: {error}. {_REMEDY}, or choose strategy ddp.") from error
    if not torch.cuda.is_available():
        # Sums over processes by a kernel that is compiled on first use, for a minute; gloo does them as well.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    if not hasattr(deepspeed.DeepSpeedEngine, "managed_gradient_accumulation"):
        raise ValueError(f"DeepSpeed {deepspeed.__version__} is too old. {_REMEDY}.")
    return deepspeed


def settings(config: TrainConfig) -> dict[str, Any]:
    """DeepSpeed's configuration of a training."""
    stage = int(config.parallel.strategy.removeprefix("zero"))
    zero: dict[str, Any] = {"stage": stage, "overlap_comm": False, "contiguous_gradients": True}
    if config.parallel.offload:
        zero["offload_optimizer"] = {"device": "cpu"}
        if stage == 3:
            zero["offload_param"] = {"device": "cpu"}
    if stage == 3:
        # A tiny model's layers are gathered, too: what is tested is what runs at scale.
        zero["stage3_param_persistence_threshold"] = 0
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        # A step has as many passes as it needs; `step` is its end.
        "managed_gradient_accumulation": False,
        "gradient_clipping": config.optimizer.max_grad_norm,
        "zero_optimization": zero,
        "bf16": {"enabled": config.precision == "bfloat16"},
        # Our AdamW, also where the state is offloaded: torch's is vectorised on a CPU, DeepSpeed's needs a compiler.
        "zero_force_ds_cpu_optimizer": False,
        "zero_allow_untested_optimizer": True,
        "steps_per_print": None,
    }


class ZeroStrategy:
    """A training whose state DeepSpeed spreads over the processes; see ``Strategy``."""

    def __init__(self, model: Any, config: TrainConfig, ranks: Ranks) -> None:
        deepspeed = import_deepspeed()
        self._config, self._ranks = config, ranks
        self._stage = int(config.parallel.strategy.removeprefix("zero"))
        os.environ.setdefault("LOCAL_RANK", str(ranks.rank))
        if not dist.is_initialized():
            backend = "nccl" if model.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, store=HashStore(), rank=0, world_size=1)
        # Where the weights are spread, the first process puts them together in a copy of its own.
        self._plain = copy.deepcopy(model).cpu() if self._stage == 3 and ranks.is_first else None
        ds_config = settings(config)
        if self._stage == 3:
            deepspeed.zero.Init(module=model, config_dict_or_path=ds_config)
        self._names = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        self._model = model
        self._engine, *_ = deepspeed.initialize(
            model=ScoringModule(model),
            optimizer=make_optimizer(model, config.optimizer),
            config=ds_config,
            dist_init_required=False,
        )
        self._engine.eval()
        self._passes = Lockstep(self._engine, model, config, ranks)

    def add_gradient(self, batch: TrainingBatch) -> BatchLoss:
        """See ``Strategy``."""
        share = share_of(batch, self._ranks.rank, self._ranks.processes)
        try:
            loss = add_step_gradient(self._model, share, self._config, self._passes)
        except OtherFailed:
            raise
        except FloatingPointError as error:
            self._passes.fail(str(error))
        self._passes.finish()
        return sum_over(self._ranks, loss)

    def update(self, rate: float) -> float:
        """See ``Strategy``."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rate
        self._engine.step()
        norm = float(self._engine.get_global_grad_norm())
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient's norm is {norm}")
        return norm

    def tensors(self) -> Mapping[str, Mapping[str, Tensor]]:
        """See ``Strategy``; every process takes part, the first gets whole tensors."""
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        weights: dict[str, Tensor] = {}
        moments: dict[str, Tensor] = {}
        steps = self._steps()
        for name, parameter in self._names.items():
            self._keep(weights, name, safe_get_full_fp32_param(parameter))
            if steps is None:
                continue
            self._keep(moments, f"{name}|step", steps)
            for moment in _MOMENTS:
                self._keep(moments, f"{name}|{moment}", safe_get_full_optimizer_state(parameter, moment))
        return {"model": weights, "optimizer": moments} if self._ranks.is_first else {}

    def restore(self, loaded: LoadedCheckpoint) -> None:
        """See ``Strategy``."""
        from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

        shapes = {name: getattr(parameter, "ds_shape", parameter.shape) for name, parameter in self._names.items()}
        check_same_model(loaded, shapes)
        moments = loaded.tensors["optimizer"]
        if moments:
            self._make_state(next(value for key, value in moments.items() if key.endswith("|step")))
        device = self._ranks.device
        for name, parameter in self._names.items():
            safe_set_full_fp32_param(parameter, loaded.tensors["model"][name].to(device))
            for moment in _MOMENTS if moments else ():
                safe_set_full_optimizer_state(parameter, moments[f"{name}|{moment}"].to(device), moment)
        self._publish_weights()

    @contextmanager
    def whole_model(self) -> Iterator[Any]:
        """See ``Strategy``; under stage 3 a copy that lives on the device only for so long."""
        if self._stage < 3:
            yield self._model if self._ranks.is_first else None
            return
        import deepspeed

        plain = dict(self._plain.named_parameters()) if self._plain is not None else {}
        for name, parameter in self._model.named_parameters():
            with deepspeed.zero.GatheredParameters([parameter]), torch.no_grad():
                if plain:
                    plain[name].copy_(parameter)
        if self._plain is not None:
            self._plain.to(self._ranks.device)
        try:
            yield self._plain
        finally:
            if self._plain is not None:
                self._plain.cpu()

    def _keep(self, tensors: dict[str, Tensor], name: str, value: Tensor) -> None:
        if self._ranks.is_first:
            tensors[name] = value.detach().cpu().clone()

    def _flat_weights(self) -> Sequence[Tensor]:
        """The float32 weights this process updates, as the optimizer sees them."""
        optimizer = self._engine.optimizer
        found: Sequence[Tensor] = (
            optimizer.fp32_partitioned_groups_flat if self._stage == 3 else optimizer.single_partition_of_fp32_groups
        )
        return found

    def _steps(self) -> Tensor | None:
        """Optimizer steps done, as AdamW counts them; None before the first."""
        for flat in self._flat_weights():
            state = self._engine.optimizer.optimizer.state.get(flat)
            if state:
                steps: Tensor = state["step"]
                return steps.float().cpu()
        return None

    def _make_state(self, steps: Tensor) -> None:
        """AdamW's state as the first step would make it, at a later step."""
        optimizer = self._engine.optimizer
        for flat in self._flat_weights():
            optimizer.optimizer.state[flat] = {
                "step": steps.clone().to(flat.device),
                **{moment: torch.zeros_like(flat) for moment in _MOMENTS},
            }
        if self._stage < 3:
            optimizer._lazy_init_hp_params_optimizer_state()

    def _publish_weights(self) -> None:
        """From the float32 weights to those the model computes with."""
        optimizer = self._engine.optimizer
        with torch.no_grad():
            if self._stage < 3:
                optimizer.update_lp_params()
                return
            for index, flat in enumerate(optimizer.fp32_partitioned_groups_flat):
                optimizer.fp16_partitioned_groups_flat[index].copy_(flat)
                optimizer._reassign_or_swap_out_partitioned_parameters(index)
