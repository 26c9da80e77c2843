#!/usr/bin/env bash
# Trains on weights in 4 bits: the tests marked qlora, with bitsandbytes beside the development environment's packages.
#
# bitsandbytes is in an environment of its own (AFT_QLORA_VENV says where) because only a machine with a GPU has a use
# for it, and nobody else should have to install it.
set -euo pipefail
cd "$(dirname "$0")/.."

place=${AFT_QLORA_VENV:-.qlora}
python=${PYTHON:-.venv/bin/python}
if [ ! -f "$place/.ready" ]; then
    "$python" -m venv "$place"
    # Behind its own packages come those of the development environment, torch among them.
    "$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
        > "$("$place/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/development.pth"
    "$place/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps 'bitsandbytes>=0.50'
    touch "$place/.ready"
fi
OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 exec "$place/bin/python" -m pytest -m qlora tests/worker/test_qlora.py
