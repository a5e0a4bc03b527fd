# make demo    set up, run the whole study on the phantom cohort, show the report
# make test    set up, pass all tests
# make check   the fast gate: format, lint, types, layers, fast tests
# make bench   speed against the named peers
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   ?= demo

.PHONY: demo test lint check bench format clean
.DEFAULT_GOAL := check

$(VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime
	$(BIN)/radhabitat demo $(DEMO)

test: $(VENV)/.development
	$(BIN)/python -m pytest

lint: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -m "not slow and not data" -q

bench: $(VENV)/.development
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

format: $(VENV)/.development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache demo
