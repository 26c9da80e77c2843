#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: every package pinned by hash, but torch, whose build the machine chooses.
# Run it in the project's virtual environment after changing a dependency; --upgrade takes newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local name=$1
    shift
    .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --unsafe-package torch \
        --no-header --no-annotate --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --constraint constraints/cpu.txt --output-file "requirements/$name.lock" "$@" pyproject.toml
    # pip-tools warns about the torch it was told to leave out.
    sed -i.bak -e '/^#/d' -e '/^$/d' "requirements/$name.lock"
    rm "requirements/$name.lock.bak"
}

compile base --extra export --extra postgres --extra redis "$@"
compile dev --extra deepspeed --extra dev --extra export --extra postgres --extra redis --constraint requirements/base.lock "$@"
