"""No orphans: a process asks the kernel to be killed when the one that made it dies."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

_PR_SET_PDEATHSIG = 1

_ALLOWED = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH",
        "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "http_proxy",
        "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    }
)  # fmt: skip
_ALLOWED_PREFIXES = (
    "AFT_", "CUDA_", "NVIDIA_", "NCCL_", "PYTORCH_", "TORCH_", "HF_", "TRANSFORMERS_", "LC_", "MALLOC_", "OMP_", "MKL_",
    "GLOO_", "DS_",
)  # fmt: skip


def can_die_with_parent() -> bool:
    """Whether this platform can fork safely and kill the children of a killed process."""
    return sys.platform == "linux" and hasattr(os, "fork")


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the thread that made this process ends; exits at once if it has ended already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def child_environment(environment: Mapping[str, str], *, device: str) -> dict[str, str]:
    """What a computing process gets to see of the worker's environment.

    Args:
        environment: The worker's own.
        device: cpu, or cuda:<index>, or several indices; the process sees these GPUs alone, counted from 0.
    """
    kept = {
        name: value for name, value in environment.items() if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)
    }
    if device.startswith("cuda:"):
        visible = [item.strip() for item in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if item.strip()]
        indices = [int(index) for index in device.removeprefix("cuda:").split(",")]
        kept["CUDA_VISIBLE_DEVICES"] = ",".join(
            visible[index] if index < len(visible) else str(index) for index in indices
        )
    # Freed tensors stay in the process: returning them to the kernel costs a fifth of the training time on a CPU.
    kept.setdefault("MALLOC_TRIM_THRESHOLD_", "4294967296")
    kept.setdefault("MALLOC_MMAP_THRESHOLD_", "4294967296")
    # numpy's own thread pool would not survive a fork; torch does the computing.
    kept.setdefault("OPENBLAS_NUM_THREADS", "1")
    kept.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that spin while they wait make a busy machine dozens of times slower.
    kept.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    kept["PYTHONUNBUFFERED"] = "1"
    return kept


def kill_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process that leads its own group, with everything it started."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
