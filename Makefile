# `make up` goes from a fresh clone to the running product, `make test` runs every check. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup up dev demo test check engine qlora lint format schema docs screenshots lock clean

BIN := .venv/bin
PACKAGES := pyproject.toml constraints/cpu.txt scripts/setup.sh
PAGES := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts frontend/tsconfig.json -type f 2>/dev/null)
MODULES := frontend/node_modules/.package-lock.json
BUILT := frontend/dist/index.html

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.base $(BUILT) ## Make .venv/, install the npm packages, build the pages

up: setup ## Start the product (OPTIONS="--port 9000" and the like; see .venv/bin/aft up --help)
	@exec $(BIN)/aft up $(OPTIONS)

dev: .venv/.dev $(MODULES) ## Start it with hot reload of the pages and reload of the server
	@exec $(BIN)/aft up --dev $(OPTIONS)

demo: setup ## Run the built-in comparison on this machine, about 10 minutes on 2 cores
	@exec $(BIN)/aft up --demo $(OPTIONS)

test: .venv/.dev $(BUILT) ## Run every check, installing what they need
	@$(BIN)/python scripts/checks.py test

check: .venv/.dev $(BUILT) ## The same without the browser and without installing anything
	@$(BIN)/python scripts/checks.py check

engine: .venv/.dev ## Run the sampling engines' contract against a real vLLM, in an environment of its own (3.5 GB)
	scripts/engine.sh
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -m engine tests/aft/engines

qlora: .venv/.dev ## Train on weights in 4 bits, in an environment of its own with bitsandbytes
	scripts/qlora.sh

lint: .venv/.dev $(MODULES) ## Format, lint, types, import rules and drift only
	@$(BIN)/python scripts/checks.py static

format: .venv/.dev $(MODULES) ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	cd frontend && npm run --silent format

schema: .venv/.dev $(MODULES) ## Write frontend/openapi.json and the TypeScript types made of it
	$(BIN)/python -m scripts.drift openapi --write
	cd frontend && npm run --silent types

screenshots: .venv/.dev $(BUILT) ## Take the pictures of docs/screenshots anew, some minutes (OPTIONS="--data-dir DIR" shows what is there)
	@$(BIN)/python -m scripts.screenshots docs/screenshots --kept $(OPTIONS)

docs: .venv/.dev ## Write the API documentation of the library to build/docs
	@rm -rf build/docs
	$(BIN)/pdoc --docformat google --math --output-directory build/docs aft '!aft.__main__' '!aft.bench' '!aft.answers.equality_process'
	@echo "Start at build/docs/aft.html"

lock: .venv/.dev ## Write requirements/*.lock anew (OPTIONS=--upgrade for newer versions)
	scripts/lock.sh $(OPTIONS)

clean: ## Delete what was made here; the data directory stays
	rm -rf .venv frontend/node_modules frontend/dist build *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.base: requirements/base.lock $(PACKAGES)
	scripts/setup.sh base

.venv/.dev: requirements/dev.lock $(PACKAGES)
	scripts/setup.sh dev

$(MODULES): frontend/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
		|| { echo "Node 20.19 or newer is needed to build the pages; found: $$(node --version 2>/dev/null || echo none)." >&2; exit 1; }
	cd frontend && npm ci --no-audit --no-fund
	@touch $@

$(BUILT): $(MODULES) $(PAGES)
	cd frontend && npm run --silent build
	@touch $@
