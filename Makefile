# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv first.

PYTHON ?= python3
RUN := .venv/bin/python -m
SETUP := $(PYTHON) scripts/setup_environment.py --for

# 0: print, do not open the App       VIDEOS=/path/to/folder: your own videos
DEMO_APP ?= 1
VIDEOS ?=
# e.g. PYTEST_ARGS="-k writer", BENCH=benchmarks/video/decode.py
PYTEST_ARGS ?=
# processes that share the tests, a file at a time; 0: none beside pytest's own
WORKERS ?= 2
BENCH ?= $(sort $(shell grep -l "__main__" benchmarks/*/*.py))
# small, base; resumes where OUT holds a checkpoint
CONFIG ?= small
MINUTES ?= 30
OUT ?= runs/$(CONFIG)
export DEMO_APP VIDEOS

.DEFAULT_GOAL := help
.PHONY: help setup demo test parity lint bench train fit

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## create .venv with everything in it; quick where nothing changed
	@$(SETUP) setup

demo:  ## track the demo clips and open the App (DEMO_APP=0: only print; VIDEOS=folder: your own videos)
	@$(SETUP) demo
	@$(RUN) point_tracking.demo.run --app "$$DEMO_APP" --videos "$$VIDEOS"

test:  ## run the whole test suite (PYTEST_ARGS="-k writer": a part of it)
	@$(SETUP) test
	@$(RUN) pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

parity:  ## compare all published models with their numbers (PYTEST_ARGS="-k alltracker": one family)
	@$(SETUP) test
	@$(RUN) pytest -n $(WORKERS) --dist loadfile -m parity $(PYTEST_ARGS)

lint:  ## ruff check, ruff format --check, import rules, pyright
	@$(SETUP) lint
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	.venv/bin/lint-imports --no-logo
	$(RUN) pyright

bench:  ## run the benchmarks (BENCH=benchmarks/video/decode.py: one of them)
	@$(SETUP) bench
	@set -e; for script in $(BENCH); do echo "== $$script"; .venv/bin/python $$script; done

train:  ## train a tracker of our own (CONFIG=small, MINUTES=30, OUT=runs/small)
	@$(SETUP) setup
	@$(RUN) point_tracking.tracker.training --config "$(CONFIG)" --minutes "$(MINUTES)" --out "$(OUT)" --resume

fit:  ## fit the estimate that pt-fused-2 chooses by, anew (about a quarter of an hour of one core)
	@$(SETUP) setup
	@$(RUN) point_tracking.tracker.training.selection
