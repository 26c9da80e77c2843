#!/usr/bin/env bash
# Makes .venv/ from the lock files: `scripts/setup.sh base` for using the product, `dev` for its checks as well.
#
# torch is not in the lock files, because its build depends on the machine: where an NVIDIA driver answers, the torch
# that Python already has is used, else the index's newest CUDA build; without a driver, the version of
# constraints/cpu.txt. Set PYTHON to choose the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

level=${1:-base}
oldest_torch=2.11

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed and none of '${PYTHON:-python3 python3.11 python3.12 python3.13}' is one."
    say "Install it (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.11) or set PYTHON."
    return 1
}

# Whether this interpreter has a torch that is new enough and sees the GPU.
has_gpu_torch() {
    "$1" - "$oldest_torch" <<'PYTHON' 2>/dev/null
import sys, torch
have = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
sys.exit(not (have >= tuple(map(int, sys.argv[1].split("."))) and torch.cuda.is_available()))
PYTHON
}

gpu=no
if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then
    gpu=yes
fi

if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "$python cannot make virtual environments. On Debian: apt-get install python3-venv"
        exit 1
    fi
    options=()
    if [ $gpu = yes ] && has_gpu_torch "$python"; then
        say "An NVIDIA driver answers and $python has torch: using that torch."
        options=(--system-site-packages)
    fi
    "$python" -m venv ${options[@]+"${options[@]}"} .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

# DeepSpeed, a part of the checks, comes as source; none of its kernels is needed for them.
export DS_BUILD_OPS=0
say "Installing the Python packages of requirements/$level.lock ..."
pip install --quiet --no-deps --require-hashes -r "requirements/$level.lock"

if [ $gpu = yes ] && has_gpu_torch .venv/bin/python; then
    :
elif [ $gpu = yes ]; then
    say "Installing torch for the GPU ..."
    pip install --quiet --upgrade "torch>=$oldest_torch,<3"
else
    say "Installing torch for the CPU ..."
    pip install --quiet -c constraints/cpu.txt torch
fi

# setuptools warns of folders that could hide the package, which here are the package.
PYTHONWARNINGS=ignore pip install --quiet --no-deps --no-build-isolation -e .

# The interpreter's own packages, where it shares them, may well contradict each other; that is not ours to mend.
if ! grep -q 'include-system-site-packages = true' .venv/pyvenv.cfg; then
    pip check >&2
fi

touch .venv/.base
if [ "$level" = dev ]; then
    touch .venv/.dev
fi
