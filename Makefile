# Every task of a checkout. "make" alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# CI measures coverage with PYTEST="… -m coverage run -m pytest"; it costs about a third more time.
PYTEST ?= $(BIN)/python -m pytest
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
UV_VERSION := 0.13.9
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m uv pip compile \
	pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo-installed ## embedded FHIR server, service and playground with demo patients (ARGS=--once: stop after the table)
	@$(BIN)/cds-service demo $(ARGS)

.PHONY: test
test: $(VENV)/.test-installed lint ## the whole test suite: ruff, mypy, pytest
	$(PYTEST) $(ARGS)

.PHONY: lint
lint: $(VENV)/.test-installed ## ruff and mypy only
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: coverage
coverage: ## the coverage gate, after PYTEST=".venv/bin/python -m coverage run -m pytest" make test
	$(BIN)/python -m coverage report

.PHONY: mutants
mutants: $(VENV)/.mutation-installed ## faults put into clinical/ one by one: which does no test notice? (about an hour)
	$(BIN)/python -m mutmut run $(ARGS)
	$(BIN)/python -m tests.mutation.survivors

.PHONY: lock
lock: $(BIN)/pip ## write requirements/*.txt anew (UPGRADE=--upgrade: newest versions)
	$(PIP) install uv==$(UV_VERSION)
	$(LOCK) --extra test --output-file requirements/test.txt
	$(LOCK) --extra postgres --constraint requirements/test.txt --output-file requirements/runtime.txt
	$(LOCK) --extra demo --constraint requirements/test.txt --output-file requirements/demo.txt
	$(LOCK) --extra mutation --constraint requirements/test.txt --output-file requirements/mutation.txt
	$(subst pyproject.toml,--group build,$(LOCK)) --constraint requirements/test.txt --output-file requirements/build.txt

# The first Python that is new enough and can make virtual environments; otherwise one line says what is missing.
$(BIN)/pip:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { no_venv=$$python; continue; }; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$${no_venv:-}" ]; then \
		echo "$$no_venv has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; \
	elif command -v python3 >/dev/null; then \
		echo "Python 3.11 or newer is needed; python3 is $$(python3 --version 2>&1): install a newer one, or name it: make PYTHON=/path/to/python3.11" >&2; \
	else \
		echo "Python 3.11 or newer is needed and there is no python3 on PATH (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2; \
	fi; \
	exit 2

# Installed once per change of what is pinned; the project itself is installed in place, so its code needs no reinstall.
$(VENV)/.%-installed: requirements/%.txt requirements/build.txt pyproject.toml | $(BIN)/pip
	@echo "Installing requirements/$*.txt into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
