"""The built-in engine: the model in this process, every sample a function of seed, question and index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aft.config.sampling import SampleConfig
from aft.engines.engine import Wanted
from aft.sampling import Prompt, Sampled, sample_cots


@dataclass(frozen=True, slots=True)
class BuiltinEngine:
    """``aft.sampling`` on a loaded model."""

    model: Any
    tokenizer: Any

    def sample(
        self,
        prompts: Sequence[Prompt],
        config: SampleConfig,
        *,
        wanted: Wanted | None = None,
        on_done: Callable[[list[Sampled]], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """See ``SamplingEngine.sample``; batches whose samples are partly there are decoded whole, to the same bits."""
        return sample_cots(
            self.model, self.tokenizer, prompts, config, wanted=wanted, on_done=on_done, should_stop=should_stop
        )
