"""Makes a loaded model the one that is trained: precision, low-rank factors, activation checkpointing."""

import hashlib
from typing import Any

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from aft.config.scale import LoraConfig
from aft.config.training import TrainConfig

_SAMPLED_NUMBERS = 4096


def put_in_training_form(model: Any, config: TrainConfig) -> None:
    """Change a model in place to what the configuration trains.

    Raises:
        ValueError: If the model has no layer to checkpoint, or none that is to get factors.
    """
    if config.lora is not None:
        add_lora(model, config.lora, seed=config.seed)
    elif config.precision == "bfloat16" and not config.parallel.uses_zero:
        # Small updates vanish in bfloat16 weights: keep float32 ones and compute in bfloat16. ZeRO has its own.
        model.float()
    if config.activation_checkpointing:
        if not model.supports_gradient_checkpointing:
            msg = (
                f"A {model.config.model_type} model has no activation checkpointing. "
                "Turn activation_checkpointing off, and lower tokens_per_microbatch instead."
            )
            raise ValueError(msg)
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def put_in_training_mode(model: nn.Module) -> None:
    """Dropout off everywhere; a layer that checkpoints its activations does so only in training mode."""
    model.eval()
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer) and module.gradient_checkpointing:
            # The layer alone, not what is in it.
            module.training = True


def starting_digest(model: nn.Module) -> str:
    """What tells apart the models that a training may start from: the first numbers of every weight."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        sample = parameter.detach().flatten()[:_SAMPLED_NUMBERS].cpu().contiguous()
        digest.update(f"{name} {tuple(parameter.shape)}".encode())
        digest.update(sample.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def add_lora(model: Any, config: LoraConfig, *, seed: int) -> None:
    """Freeze the model and give its linear layers trainable factors, the same for the same seed.

    Raises:
        ValueError: If no layer has one of the names.
    """
    import peft

    targets = config.target_modules
    adapter = peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,  # type: ignore[arg-type]  # any number
        lora_dropout=0.0,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.name_or_path,
    )
    if config.quantize != "none":
        peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            model.add_adapter(adapter)
        except ValueError as error:
            names = sorted({name.rpartition(".")[2] for name, module in model.named_modules() if _is_linear(module)})
            msg = f"LoRA cannot be added: {error} The linear layers of this model are {', '.join(names)}."
            raise ValueError(msg) from error
    for parameter in model.parameters():
        if parameter.requires_grad:
            # Small updates vanish in bfloat16.
            parameter.data = parameter.data.float() if parameter.dtype == torch.bfloat16 else parameter.data


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear)
