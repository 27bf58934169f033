# Two commands for a newcomer: `make run` and `make test`. Each installs what it needs into .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
TESTS ?=
BENCH ?=
# Of `make simulate`: how many seeds, from which on, and what else `python -m tests.simulation --help` knows.
SEEDS ?= 1000
FIRST ?= 1
OPTIONS ?=
# Much of the suite waits for real programs, so more tests go on than there are processors.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(3 * (os.cpu_count() or 1))')

.PHONY: run test lint check bench simulate format clean

run: $(VENV)/.run
	$(BIN)/slack-alert --path .

test: $(VENV)/.test tests/wire/node_modules
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint $(VENV)/.test tests/wire/node_modules
	$(BIN)/coverage erase
	COVERAGE_PROCESS_START=pyproject.toml $(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage report --skip-covered --skip-empty

# Takes over an hour; `make bench BENCH="fire --scheduler AsyncIOScheduler --rounds 1"` takes a minute.
bench: $(VENV)/.run
	$(BIN)/python -m benchmarks.references
	$(BIN)/python -m benchmarks $(BENCH)

# Each process has worlds of its own and never waits, so there are as many as processors.
simulate: JOBS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
simulate: $(VENV)/.test
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST) --jobs $(JOBS) $(OPTIONS)

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) tests/wire/node_modules build dist *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "slack-alert needs Python 3.10 or newer: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); .ci/need-venv; $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/.test $(VENV)/.run

# Slack's own types, to judge what is sent; where Node is absent those tests are skipped and say so.
tests/wire/node_modules: tests/wire/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/wire --no-audit --no-fund --loglevel=error; else mkdir -p $@; fi
	@touch $@
