"""Who samples: the built-in engine, vLLM in this process, or an OpenAI-compatible server. One interface for all."""

from aft.engines.agreement import Disagreement, check_agreement
from aft.engines.builtin import BuiltinEngine
from aft.engines.engine import EngineFailed, SamplingEngine
from aft.engines.server import ServerEngine
from aft.engines.vllm_offline import VllmEngine

__all__ = [
    "BuiltinEngine",
    "Disagreement",
    "EngineFailed",
    "SamplingEngine",
    "ServerEngine",
    "VllmEngine",
    "check_agreement",
]
