# Every target sets up what it needs; a second run finds it there and is quick.
#
# PYTHON=/path/to/python3   the interpreter to build for (3.10 or newer)
# PYTEST_ARGS="-k fork -x"  more options for pytest
# STORM_ARGS="--forks 5000" more options for the storm; BENCH_ARGS for the benchmarks
# SERVERS_ARGS="mysql-9"    which servers, PYTHONS_ARGS="3.13 3.14" which interpreters; --record
#                           puts the table into tests/RESULTS.md
# CONFORMANCE_ARGS="--suite django --record"
#                           of `make conformance`; `python -m tests.conformance --help` lists them
# EXAMPLES=20000            how many values `make properties` tries each property with
# POOL_SECONDS=600          how long `make soak` keeps a pool busy, and its server away
# FORKSAFE_TEST_DSN=mysql://user:password@host:port/database
#                           test against this server instead of a throwaway one

PYTHON ?= python3
PYTEST_ARGS ?=
STORM_ARGS ?= --forks 20000
BENCH_ARGS ?=
SERVERS_ARGS ?=
PYTHONS_ARGS ?=
CONFORMANCE_ARGS ?=
POOL_SECONDS ?= 60
STREAM_MEGABYTES ?= 4000
EXAMPLES ?= 2000

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

.PHONY: help demo test test-rust test-python loom matrix storm soak properties conformance conformance-core servers pythons \
	bench lint lint-rust lint-python format \
	build venv mariadb uwsgi strace toolchain clean

help:
	@echo "make demo          the usual driver and forksafe under gunicorn --preload, side by side"
	@echo "make test          all tests: test-rust and loom (need no server), test-python"
	@echo "make matrix        every cell of the fork matrix; make test runs a selection"
	@echo "make storm         three storms of 20,000 forks each; make test runs 1,000 in all"
	@echo "make soak          200 threads on a pool of 4 for a minute; a server killed under load; a result larger than memory: what was measured"
	@echo "make servers       the core tests on MySQL 9 and MariaDB 11.8, as far as they can be had here"
	@echo "make pythons       a wheel and the core tests for each Python from 3.10 that can be had here"
	@echo "make properties    any value comes back equal, and none changes a statement: tried with $(EXAMPLES) each"
	@echo "make loom          every order of threads, on pool and registry; part of make test"
	@echo "make conformance   the suites of Django, SQLAlchemy and the drivers, on forksafe and on mysqlclient"
	@echo "make conformance-core   of Django's suite what touches a database most, on forksafe alone"
	@echo "make bench         what fork safety costs, beside other drivers (benches/README.md)"
	@echo "make lint          all checks: lint-rust, lint-python"
	@echo "make format        rewrite the sources as lint wants them"
	@echo "make build         the package, built into $(VENV)"
	@echo "make clean         remove all that these targets made"

demo: build mariadb $(VENV)/.mysqlclient
	$(BIN)/python -m examples.demo

test: test-rust loom test-python

test-rust: toolchain
	$(CARGO) test $(LOCKED) --no-default-features
	$(CARGO) test $(LOCKED)

# Every order of threads within the bounds that the models name; a build of its own, for loom's
# types take the place of the standard ones.
loom: toolchain
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
		$(CARGO) test $(LOCKED) --release --no-default-features --lib -- model first_touch

test-python: build uwsgi strace $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

matrix: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m pytest tests/test_matrix.py --matrix=all -q $(PYTEST_ARGS)

storm: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m tests.storm $(STORM_ARGS)
	$(BIN)/python -m pytest tests/test_generations.py --storm-forks=20000 $(PYTEST_ARGS)

soak: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m pytest tests/test_pool_fairness.py tests/test_pool_restart.py \
		--pool-seconds=$(POOL_SECONDS) -q -s $(PYTEST_ARGS)
	$(BIN)/python -m pytest tests/test_streaming.py -k memory --timeout=900 \
		--stream-megabytes=$(STREAM_MEGABYTES) -q -s $(PYTEST_ARGS)

servers: build mariadb
	$(BIN)/python -m tests.versions.servers $(SERVERS_ARGS)

pythons: mariadb $(VENV)/.requirements | toolchain
	$(BIN)/python -m tests.versions.pythons $(PYTHONS_ARGS)

conformance: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m tests.conformance $(CONFORMANCE_ARGS)

conformance-core: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m tests.conformance --suite django --core --driver forksafe

properties: build $(if $(FORKSAFE_TEST_DSN),,mariadb)
	$(BIN)/python -m pytest tests/test_properties_values.py tests/test_properties_injection.py \
		--examples=$(EXAMPLES) --timeout=0 -q $(PYTEST_ARGS)

bench: build mariadb $(VENV)/.mysqlclient
	$(BIN)/python -m benches.cost $(BENCH_ARGS)
	$(BIN)/python -m benches.cost_in_python $(BENCH_ARGS)
	$(BIN)/python -m benches.pool $(BENCH_ARGS)
	$(BIN)/python -m benches.first_answer $(BENCH_ARGS)

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
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
		$(CARGO) clippy $(LOCKED) --no-default-features --lib --profile test -- -D warnings

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

uwsgi: $(VENV)/.requirements
	@scripts/uwsgi-install.sh $(BIN)/python

strace:
	@scripts/strace-install.sh

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
