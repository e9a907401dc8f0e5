# Two commands matter: `make run` and `make test`. Each makes .venv by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HOST ?= 127.0.0.1
PORT ?= 7860
HOME_FLAG := $(if $(RATCHET_HOME),--home $(RATCHET_HOME),)

.PHONY: run install test test-fast test-all check format bench browser wheel starter clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ratchet needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=python3.11 (or newer).")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(READY)

install: $(READY)

run: $(READY)
	$(BIN)/ratchet serve --host $(HOST) --port $(PORT) $(HOME_FLAG)

# Debian's chromium is what the browser tests drive; it is installed where that is allowed.
browser:
	@sh tests/browser/find_chromium.sh

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Quick tests share the cores; those that load torch or drive a browser do so file by file, for a file's tests share a
# site or a model and follow each other.
test: check browser
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not torch and not browser"
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=30 -m "not slow and (torch or browser)"

test-fast: $(READY)
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not heavy and not torch and not browser"

test-all: check browser
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not torch and not browser"
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=30 -m "slow or torch or browser"

# Every measurement with its baselines, one after the other, about two hours; `make bench NAMES="vote burst"` runs some.
bench: $(READY) browser
	$(BIN)/python -m bench $(NAMES)
	$(BIN)/python -m bench.table

starter: $(READY)
	$(BIN)/python -m trainers.starter --out static/starter

wheel: $(READY)
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
