# Two words do everything on a fresh clone: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help demo test soak unit check format bench lock image clean

help: ## these words
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | column -t -s "$$(printf '\t')"

# Made anew when the lock changes; a half-made one is never taken for a whole one.
.venv/installed: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.lock
	@touch $@

demo: .venv/installed ## the whole service on this machine, with answers streaming in; ARGS="--for 20" stops by itself
	@$(BIN)/python -m app demo $(ARGS)

test: .venv/installed ## every test that can run here; says what was not run and why
	$(BIN)/pytest $(ARGS)

soak: .venv/installed ## the fault, race and fuzz stories at full count
	BOTTOMBOX_TEST_EFFORT=10 $(BIN)/pytest --timeout 3600 $(ARGS)

unit: .venv/installed ## the pure tests only, in seconds
	$(BIN)/pytest tests/unit $(ARGS)

check: .venv/installed ## format, lint, types, floors
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/pytest --quiet tests/unit/test_floors.py

format: .venv/installed ## puts the format right
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed ## the figures of benchmarks/README.md, measured here
	$(BIN)/python -m benchmarks $(ARGS)

lock: .venv/installed ## new exact versions of all dependencies, with hashes and without addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --upgrade pyproject.toml --output-file requirements/image.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --upgrade --extra demo --extra dev pyproject.toml --output-file requirements/dev.lock

clean: ## removes what was made here
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
