# Every target sets up what it needs; a second run finds it there and is quick.
#
# PYTHON=/path/to/python3   the interpreter to build for (3.10 or newer)
# PYTEST_ARGS="-k fork -x"  more options for pytest
# FORKSAFE_TEST_DSN=mysql://user:password@host:port/database
#                           test against this server instead of a throwaway one

PYTHON ?= python3
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo
LOCKED := --locked
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

# PyO3 and maturin build for the interpreter of the environment, whatever else is on the PATH.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport CONDA_PREFIX

.PHONY: help demo test test-rust test-python lint lint-rust lint-python format build venv mariadb \
	toolchain clean

help:
	@echo "make demo          the usual driver and forksafe under gunicorn --preload, side by side"
	@echo "make test          all tests: test-rust (needs no server), test-python"
	@echo "make lint          all checks: lint-rust, lint-python"
	@echo "make format        rewrite the sources as lint wants them"
	@echo "make build         the package, built into $(VENV)"
	@echo "make clean         remove all that these targets made"

demo: build mariadb $(VENV)/.mysqlclient
	$(BIN)/python -m examples.demo

test: test-rust test-python

test-rust: toolchain
	$(CARGO) test $(LOCKED) --no-default-features
	$(CARGO) test $(LOCKED)

test-python: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: lint-rust lint-python

# Each feature level proves an arrow: the pool knows no MySQL, nothing below dbapi knows Python.
lint-rust: toolchain $(VENV)/.requirements
	$(CARGO) fmt --check
	$(CARGO) check $(LOCKED) --no-default-features
	$(CARGO) check $(LOCKED)
	$(CARGO) check $(LOCKED) --features python
	$(CARGO) clippy $(LOCKED) --no-default-features --all-targets -- -D warnings
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) clippy $(LOCKED) --features python -- -D warnings

lint-python: build
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest forksafe._forksafe

format: toolchain $(VENV)/.requirements
	$(CARGO) fmt
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

build: $(VENV)/.built

venv: $(VENV)/.requirements

# No daemon is left running: tests and demo start a server of their own.
mariadb:
	@scripts/mariadb-install.sh

toolchain:
	@command -v $(CARGO) >/dev/null || { echo "Please install Rust 1.85 or newer: no cargo" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "Please install a C compiler: no cc" >&2; exit 1; }

clean:
	rm -rf $(VENV) target build dist .mypy_cache .pytest_cache .ruff_cache
	rm -f python/forksafe/*.so
	find python scripts tests examples -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.requirements: requirements-dev.txt
	@scripts/venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	@touch $@

$(VENV)/.built: $(VENV)/.requirements $(SOURCES) | toolchain
	$(BIN)/maturin develop --release $(LOCKED)
	@touch $@

$(VENV)/.mysqlclient: $(VENV)/.requirements
	@scripts/mysqlclient-install.sh $(BIN)/python
	@touch $@
