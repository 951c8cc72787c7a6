# Everything starts here, on a machine that has python3 (3.11 or later) and make:
#   make demo    demonstrations, training, evaluation and a report, in about eleven minutes on two cores
#   make test    style, types and tests
# Both make their own environment in .venv, once, and use it again.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= runs/demo

# For pip's own words, for instance an index that holds the small CPU build of torch.
PIP_ARGS ?=

# On few cores, threads that wait by spinning steal the time of those that work.
export OMP_WAIT_POLICY := passive
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-slow lint readme install run-install gl clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: run-install gl  ## watch RT-1 learn a table-top task from scratch; leaves runs/demo/report.html
	@$(BIN)/sayact demo --out $(OUT)

test: install gl lint  ## style, types and the quick tests
	@echo "==> pytest"
	@$(BIN)/pytest -m "not slow"

test-slow: install gl  ## the tests that take minutes
	@$(BIN)/pytest -m slow

lint: install  ## ruff and pyright
	@echo "==> ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "==> pyright"
	@$(BIN)/pyright

readme: install  ## write the tables of README.md and results/ anew from the measurements
	@$(BIN)/python -m sayact.evals.tables README.md results/*.md

install: $(VENV)/.installed

run-install: $(VENV)/.runs

# Who only runs the demo need not wait for what the tests need.
$(VENV)/.runs: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "sayact needs Python 3.11 or later; run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@[ -x $(BIN)/python ] || { echo "==> making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "==> installing sayact and what it needs into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable .
	@touch $@

$(VENV)/.installed: $(VENV)/.runs
	@echo "==> installing what the tests need"
	@$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable ".[dev]"
	@touch $@

# Pictures are drawn without a screen: through EGL, or OSMesa. See whether one of them really draws.
DRAWS := -c 'import mujoco; mujoco.GLContext(16, 16).make_current()'
GL_PACKAGES := libegl1 libgl1 libgl1-mesa-dri

gl: $(VENV)/.gl

$(VENV)/.gl: $(VENV)/.runs
	@draws() { for gl in egl osmesa; do MUJOCO_GL=$$gl $(BIN)/python $(DRAWS) 2>/dev/null && return 0; done; return 1; }; \
	if [ "$$(uname -s)" != Linux ] || draws; then touch $@; exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "==> no headless OpenGL here: installing $(GL_PACKAGES)"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(GL_PACKAGES) >/dev/null; \
	  if draws; then touch $@; exit 0; fi; \
	fi; \
	echo "No way to draw without a screen. On Debian or Ubuntu: sudo apt-get install $(GL_PACKAGES)"; \
	echo "(on Fedora: mesa-libEGL mesa-dri-drivers), then run make again."; exit 1

clean:  ## remove the environment and all caches; runs/ stays
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +
