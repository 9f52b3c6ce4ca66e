# One command file: CI and people call the same names. Each target sets up what it needs in .venv
# and does so again only when pyproject.toml or constraints.txt has changed.
#   make test PYTHON=python3.13        another interpreter (3.11 or newer)
#   make bench ARGS=--quick            arguments for every benchmark
SHELL := bash
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
BASE := $(VENV)/.base-$(VERSION)
DEV := $(VENV)/.dev-$(VERSION)
SCANNERS := $(VENV)/.scanners-$(VERSION)
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
PINNED := --constraint constraints.txt --build-constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean pin browser registry node scanners

help:
	@echo "make demo     rehearse a good and a broken release of the example on this machine"
	@echo "make test     lint, types, import rules, all tests, the coverage gate"
	@echo "make lint     ruff, mypy and import-linter alone"
	@echo "make bench    every benchmark (ARGS=--quick for a short look)"
	@echo "make setup    the development environment in $(VENV)"
	@echo "make pin      renew constraints.txt"
	@echo "make clean    remove everything that the other targets made"

setup: $(DEV)

demo: $(BASE)
	@$(BIN)/python -m greenroom.rehearsal.demo

lint: $(DEV)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >$(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@echo "lint, types and import rules: clean"

# Three workers for two cores: many tests wait for something that never answers.
# The coverage report comes before pytest's summary, which is repeated: it is the last line.
test: lint browser registry node scanners
	@rm -f .coverage .coverage.*
	@set -euo pipefail; $(BIN)/coverage run -m pytest -n3 $(ARGS) | tee $(VENV)/pytest.log
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report || { echo "The coverage gate is shut: see fail_under above."; exit 2; }
	@tail -n 1 $(VENV)/pytest.log

bench: $(DEV)
	@set -e; for file in benchmarks/[a-z]*.py; do \
		name=$$(basename $$file .py); \
		echo "== benchmarks.$$name"; $(BIN)/python -m benchmarks.$$name $(ARGS); \
	done

clean:
	@rm -rf $(VENV) build dist *.egg-info src/*.egg-info .coverage .coverage.* .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache greenroom-report greenroom-rehearsal
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv resolves for every supported Python and platform at once; pip reads what it writes.
pin: $(DEV)
	@sed '/^[^#]/,$$d' constraints.txt >$(VENV)/constraints.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev \
		--upgrade --no-annotate --no-header --no-emit-index-url pyproject.toml >>$(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt

# The HTML report is opened in a real browser.
browser:
	@command -v chromium >/dev/null || .ci/debian "the HTML report's tests in a browser" chromium

# Images are pushed to a real registry.
registry:
	@command -v docker-registry >/dev/null || .ci/debian "tests against an image registry" docker-registry

# Unit tests of another language than ours are run by that language's own runner.
node:
	@command -v node >/dev/null || .ci/debian "tests of a suite that node's runner runs" nodejs

# Scanners need other packages than ours, and than each other: each has an environment of its own.
scanners: $(SCANNERS)

$(SCANNERS): $(DEV) .ci/schemathesis.txt .ci/wapiti.txt
	@for tool in schemathesis wapiti; do \
		echo "Adding $$tool in $(VENV)/$$tool: its test runs it"; \
		$(BIN)/python -m venv --clear $(VENV)/$$tool && \
		$(VENV)/$$tool/bin/python -m pip --quiet --quiet --disable-pip-version-check install \
			--requirement .ci/$$tool.txt || \
			echo "$$tool cannot be installed for Python $(VERSION): its test is skipped"; \
	done
	@touch $@

$(BASE): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Greenroom needs Python 3.11 \
	or newer, and $(PYTHON) is $(VERSION): try make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/debian "virtual environments" python3-venv
	@echo "Setting up $(VENV) for Python $(VERSION), as pinned in constraints.txt: greenroom[rehearsal]"
	@[ -e $@ ] || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --constraint constraints.txt pip
	@$(PIP) install $(PINNED) --editable '.[rehearsal]'
	@touch $@

$(DEV): $(BASE)
	@echo "Adding greenroom[all] and the dev group: linters, test tools"
	@$(PIP) install $(PINNED) --editable '.[all]' --group dev
	@touch $@
