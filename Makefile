# Hanok's make targets. `make help` lists them; each can be run from a clean clone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

PY := .venv/bin/python
ROOT := $(filter 0,$(shell id -u))
# The folders with Python of ours that are there.
CODE := $(foreach folder,src/hanok tests scripts bench,$(if $(wildcard $(folder)/*.py),$(folder)))
# The machine this is measured on has two cores. Tests wait for a fifth of their time, those with
# guests for more (a boot, a deadline), so three workers have them.
PYTEST := $(PY) -m pytest -n 3
# A file's guests are shared by its tests, so one worker has all of it.
PYTEST_GUESTS := $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder
FAST := not guest and not slow and not clients
# The fast tests make thousands of small databases, each commit of which waits for the disk: they
# lie in memory where there is room.
IN_MEMORY = room=$$(df --output=avail -m /dev/shm 2>/dev/null | tail -1) || room=0; \
	if [ "$$room" -ge 4096 ]; then export PYTEST_DEBUG_TEMPROOT=/dev/shm; fi;
# Extra arguments: make up ARGS="--driver simulated", make test ARGS="-k keypair".
ARGS ?=
# Arguments may leave a phase without a test, which pytest reports as 5; without any it is an error.
NONE := $(if $(ARGS),|| [ $$? -eq 5 ])

define say
	@printf '\n==> %s\n' $(1)
endef

.PHONY: help install up demo lint test test-all test-postgres bench docs images images-tiny clean
.PHONY: .all-packages .test-images .lint .fast .guests

help: ## list the targets
	@printf 'make TARGET, where TARGET is one of\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nARGS="…" is handed on by up, demo, bench, test and test-postgres.\n'

install: ## Debian packages (as root or with sudo), uv, the locked environment: .venv/bin/hanok
	@scripts/debian.sh run
	@scripts/python.sh
	@printf '==> %s\n' "ready: .venv/bin/hanok"

up: install ## run a region here, until Ctrl-C
	$(call say,"hanok up $(ARGS)")
	@exec .venv/bin/hanok up $(ARGS)

demo: install images-tiny ## a real guest from token to SSH and back to nothing
	$(call say,"demo")
	@exec $(PY) scripts/demo.py $(ARGS)

lint: install .lint ## ruff, mypy --strict and the rules of the house

test: .all-packages .lint .test-images .fast .guests ## lint, then all fast tests and real guests

test-all: .all-packages .lint .test-images ## everything: slow tests, clients, both databases
	@scripts/debian.sh clients
	@scripts/python.sh clients
	$(call say,"all tests on SQLite")
	@$(PYTEST) -m "not guest" $(ARGS) $(NONE)
	$(call say,"all tests on PostgreSQL")
	@$(PYTEST) -m "not guest and not clients" --database postgresql $(ARGS) $(NONE)
	$(call say,"real guests")
	@$(PYTEST_GUESTS) -m guest $(ARGS) $(NONE)

test-postgres: .all-packages ## the fast tests with PostgreSQL in the place of SQLite
	$(call say,"fast tests on PostgreSQL")
	@$(PYTEST) -m "$(FAST)" --database postgresql $(ARGS) $(NONE)

bench: install ## the figures of SPECIFICATION.md, measured side by side
	$(call say,"bench")
	@$(PY) -m bench $(ARGS)

docs: install ## the pages of docs/reference that are made from the code
	$(call say,"docs/reference")
	@$(PY) -m scripts.states

images: images-tiny ## the tiny guest image and a genuine Debian cloud image, into the cache
	$(call say,"Debian cloud image")
	@$(PY) -m hanok.guest.debian_image

images-tiny: install ## only the tiny guest image, into the cache
	@scripts/debian.sh run image
	$(call say,"tiny guest image")
	@$(PY) -m hanok.guest.tiny_image --if-missing

clean: ## remove what make made in this checkout; the machine's cache stays
	@printf '==> %s\n' "removing the environments and the tools' caches"
	@rm -rf .venv .venv-clients .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

.all-packages:
	@scripts/debian.sh run image test
	@scripts/python.sh

# Guests need root; without it the tests that boot one say so and are skipped.
.test-images:
ifneq ($(ROOT),)
	$(call say,"tiny guest image")
	@$(PY) -m hanok.guest.tiny_image --if-missing
endif

.lint:
	$(call say,"ruff check")
	@$(PY) -m ruff check $(CODE)
	$(call say,"ruff format --check")
	@$(PY) -m ruff format --check $(CODE)
	$(call say,"mypy --strict")
	@$(PY) -m mypy $(CODE)
	$(call say,"uv.lock fits pyproject.toml")
	@scripts/python.sh uv lock --check --offline --quiet 2>/dev/null || \
		{ printf '%s\n' "it does not: run scripts/python.sh uv lock" >&2; exit 1; }
	$(call say,"rules of the house")
	@$(PY) -m pytest -q tests/house

.fast:
	$(call say,"fast tests")
	@$(IN_MEMORY) $(PYTEST) -m "$(FAST)" --ignore tests/house $(ARGS) $(NONE)

.guests:
	$(call say,"real guests")
	@$(PYTEST_GUESTS) -m "guest and not slow and not clients" $(ARGS) $(NONE)
