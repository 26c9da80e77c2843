"""vLLM in this process, through ``LLM.generate`` and arguments that versions 0.20 to 0.33 share.

No seed is given with a request: on a CPU a seeded request that is prefilled in pieces kills the engine. The engine as a
whole is seeded instead, so a run is repeatable only where nothing interrupts it.
"""

import hashlib
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from aft.config.sampling import SampleConfig
from aft.engines.engine import EngineFailed, Wanted, from_ids, pending
from aft.sampling import Prompt, Sampled

INSTALL_VLLM: Final = (
    "Install it where the worker runs, on a machine with a GPU (`pip install 'aft-workbench[vllm]'`), or choose the "
    "built-in engine."
)
_ROWS_AT_ONCE: Final = 512


def is_installed() -> bool:
    """Whether vLLM can be found; nothing is imported."""
    return importlib.util.find_spec("vllm") is not None


class VllmEngine:
    """An engine that loads a model's directory itself.

    Args:
        directory: The checkpoint.
        tokenizer: The checkpoint's tokenizer, for the text of the samples.
        end_ids: Tokens that end a response.
        precision: The weights' type.
        rows_at_once: Samples handed to the engine together; between two such batches it can be stopped.
        options: Further arguments of ``vllm.LLM``, such as ``gpu_memory_utilization``.
    """

    def __init__(
        self,
        directory: Path,
        tokenizer: Any,
        end_ids: Sequence[int],
        *,
        precision: str = "float32",
        rows_at_once: int = _ROWS_AT_ONCE,
        **options: Any,
    ) -> None:
        self._directory, self._tokenizer, self._end_ids = directory, tokenizer, tuple(end_ids)
        self._precision, self._rows, self._options = precision, rows_at_once, options
        self._engine: Any = None

    def sample(
        self,
        prompts: Sequence[Prompt],
        config: SampleConfig,
        *,
        wanted: Wanted | None = None,
        on_done: Callable[[list[Sampled]], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """See ``SamplingEngine.sample``; an engine that dies is started once more and asked again for the batch.

        Raises:
            EngineFailed: If vLLM is missing, cannot load the model, or fails twice on the same batch.
        """
        missing = pending(prompts, config, wanted)
        if not missing:
            return True
        module = _vllm()
        # What is missing is part of the seed: after a restart a question's further samples must not repeat its first.
        seed = _engine_seed(config.seed, sum(len(indices) for _, indices in missing))
        per_batch = max(1, self._rows // config.k)
        for start in range(0, len(missing), per_batch):
            if should_stop():
                return False
            batch = missing[start : start + per_batch]
            on_done(self._with_one_restart(module, batch, config, seed))
        return True

    def _with_one_restart(self, module: Any, batch: Any, config: SampleConfig, seed: int) -> list[Sampled]:
        try:
            return self._batch(module, batch, config, seed)
        except EngineFailed:
            raise
        except Exception as error:
            # The exception of a dead engine has moved between versions; a fault of the request fails again below.
            first = error
        self._engine = None
        try:
            return self._batch(module, batch, config, seed)
        except EngineFailed:
            raise
        except Exception as error:
            msg = (
                f"vLLM failed twice on the same questions: {_line(first)}; after a restart: {_line(error)}. "
                "Lower max_new_tokens or choose the built-in engine, then retry the run."
            )
            raise EngineFailed(msg) from error

    def _batch(self, module: Any, batch: Any, config: SampleConfig, seed: int) -> list[Sampled]:
        if self._engine is None:
            self._engine = self._load(module, seed)
        asked = [{"prompt_token_ids": list(prompt.prompt_ids)} for prompt, _ in batch]
        settings = [
            module.SamplingParams(
                n=len(indices), temperature=config.temperature, top_p=config.top_p, max_tokens=config.max_new_tokens
            )
            for _, indices in batch
        ]
        answers = self._engine.generate(asked, settings, use_tqdm=False)
        if len(answers) != len(batch):
            raise EngineFailed(f"vLLM answered {len(answers)} of {len(batch)} questions. Retry the run.")
        done = []
        for (prompt, indices), answer in zip(batch, answers, strict=True):
            outputs = sorted(answer.outputs, key=lambda output: output.index)
            if len(outputs) != len(indices):
                msg = f"vLLM gave {len(outputs)} of {len(indices)} samples of a question. Retry the run."
                raise EngineFailed(msg)
            for index, output in zip(indices, outputs, strict=True):
                reason = str(output.finish_reason)
                done.append(
                    from_ids(self._tokenizer, self._end_ids, prompt.question_id, index, list(output.token_ids), reason)
                )
        return done

    def _load(self, module: Any, seed: int) -> Any:
        try:
            return module.LLM(model=str(self._directory), dtype=self._precision, seed=seed, **self._options)
        except Exception as error:
            msg = f"vLLM cannot load the checkpoint: {_line(error)}. Mend it, or choose the built-in engine."
            raise EngineFailed(msg) from error


def _vllm() -> Any:
    try:
        return importlib.import_module("vllm")
    except Exception as error:
        # A build for other hardware is installed and fails in many ways.
        what = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({_line(error)})"
        raise EngineFailed(f"vLLM {what}. {INSTALL_VLLM}") from error


def _engine_seed(seed: int, missing: int) -> int:
    digest = hashlib.blake2b(f"vllm\0{seed}\0{missing}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") >> 1


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
