# Two commands matter: `make demo` and `make test`. Both set the project up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
DEV    := $(VENV)/.ready-dev

# Everything a run leaves behind stays inside the project, Prefect's own database too.
export PREFECT_HOME ?= $(CURDIR)/.prefect
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false
export DO_NOT_TRACK ?= 1

.PHONY: help setup dev demo test test-all lint format bench docs lock generated clean
help:           ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## .venv from the committed lock, if it is not there yet
$(STAMP): requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

dev: $(DEV)     ## the same with what tests and linters need
$(DEV): requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $(STAMP) $@

# The locks name exact versions of everything, so nothing is resolved and no other package can slip in.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'ideoflow needs Python 3.11 or newer: make PYTHON=python3.12 ...'; exit 2; }
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r $(1)
$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endef

demo: setup     ## the main job on the embedded sandbox: no key, no network, nothing billed
	@$(BIN)/ideoflow demo

test: dev       ## the quick suite (under five minutes on two cores)
	$(BIN)/pytest -n 3 -m 'not slow and not bench'

test-all: dev   ## the quick suite and the long proofs
	$(BIN)/pytest -n 2 -m 'not bench'

lint: dev       ## ruff, formatting and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev     ## let ruff tidy
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: dev      ## measured ratios against named baselines
	$(BIN)/pytest -q -s -m bench tests/benchmarks

docs: dev       ## these pages as a site in build/docs; any warning fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file .mkdocs.yml
	@echo 'next     open build/docs/index.html'

generated: dev ## rewrite the files that are generated from the code
	$(BIN)/python -m flows.generated

PIN := --universal --no-header --no-annotate --no-emit-index-url
lock:           ## pin anew (needs uv); the lock names no registry
	uv pip compile pyproject.toml --all-extras $(PIN) -o requirements-dev.lock
	uv pip compile pyproject.toml --extra build $(PIN) -c requirements-dev.lock -o requirements.lock

clean:          ## everything a run or a build left behind, except your data
	rm -rf $(VENV) .prefect .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +
