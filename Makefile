# Two words do everything on a fresh clone: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
UV ?= $(BIN)/uv
PACKAGE ?=
UPGRADE ?=

.PHONY: help demo watch test soak unit versions check format bench lock clean

help: ## these words
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | column -t -s "$$(printf '\t')"

# Made anew when the lock changes; a half-made one is never taken for a whole one.
.venv/installed: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@[ ! -L .venv ] || rm .venv  # clearing what it points to would take it from somebody else
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.lock
	@touch $@

demo: .venv/installed ## the whole service on this machine, with answers streaming in; ARGS="--for 20" stops by itself
	@$(BIN)/python -m app demo $(ARGS)

watch: .venv/installed ## the demo beside a Prometheus of this machine, with the address of each question of the dashboards
	@$(BIN)/python -m deploy.watch $(ARGS)

# The stories of whole processes have the machine for themselves; of the others two files run at once.
test: .venv/installed ## every test that can run here; says what was not run and why
ifdef ARGS
	$(BIN)/pytest $(ARGS)
else
	failed=0; $(BIN)/pytest tests/acceptance || failed=1; \
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/integration tests/unit || failed=1; exit $$failed
endif

# Those of the tests that can try harder: they, or what they are made with, ask how hard.
TRY_HARDER = $(shell grep --recursive --files-with-matches --include='test_*.py' 'parts.effort\|insights.simulated' $(1))
soak: export BOTTOMBOX_TEST_EFFORT = 10
soak: .venv/installed ## the fault, race and fuzz stories at full count
ifdef ARGS
	$(BIN)/pytest --timeout 3600 $(ARGS)
else
	failed=0; $(BIN)/pytest --timeout 3600 $(call TRY_HARDER,tests/acceptance) || failed=1; \
	$(BIN)/pytest --timeout 3600 --numprocesses 2 --dist loadfile $(call TRY_HARDER,tests/integration tests/unit) || failed=1; exit $$failed
endif

unit: .venv/installed ## the pure tests only, in a minute or two
	$(BIN)/pytest tests/unit $(ARGS)

versions: .venv/installed ## the pure tests on other Pythons, schema and claims on other PostgreSQLs, where there are any
	@.ci/versions $(ARGS)

check: .venv/installed ## format, lint, types, floors, names, and pages that say what is there
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/pytest --quiet tests/unit/test_*.py

format: .venv/installed ## puts the format right
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed ## measures everything, or what ARGS names, and writes docs/performance.md; an hour or two
	$(BIN)/python -m benchmarks --json $(ARGS) >> docs/performance/runs.jsonl
	$(BIN)/python -m benchmarks --page docs/performance.md < docs/performance/runs.jsonl

# What is locked stays as it is unless PACKAGE names it; UPGRADE=all takes everything anew.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links $(if $(PACKAGE),--upgrade-package $(PACKAGE)) $(if $(UPGRADE),$(if $(filter all,$(UPGRADE)),--upgrade,$(error UPGRADE is `all` or nothing; PACKAGE names one)))

lock: $(if $(filter $(BIN)/uv,$(UV)),.venv/installed) ## the lock files for what pyproject.toml asks; PACKAGE=fastapi upgrades one, UPGRADE=all everything
	@$(if $(PACKAGE),grep --quiet '^$(PACKAGE)==' requirements/dev.lock || { echo 'PACKAGE=$(PACKAGE) is not locked here' >&2; exit 1; })
	$(LOCK) pyproject.toml --output-file requirements/image.lock
	$(LOCK) --extra demo --extra dev pyproject.toml --output-file requirements/dev.lock

clean: ## removes what was made here
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
