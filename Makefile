# Everything runs in .venv with the versions of constraints.txt: the same here and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PACKAGES := gaitkeeper.py model gallery service training
# Idle threads that spin starve the other work on a small machine.
export OMP_WAIT_POLICY = PASSIVE
export MPLBACKEND = Agg

.PHONY: help demo serve test fuzz check lint format bench bench-gallery bench-service clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/serving ## Enroll samples, identify probes and strangers, print the answers
	@$(BIN)/gaitkeeper demo

serve: $(VENV)/serving ## Start the service on 127.0.0.1:8000
	@$(BIN)/gaitkeeper serve

test: $(VENV)/testing ## Run the tests
	@$(BIN)/python -P -m pytest -q -n 2

fuzz: $(VENV)/testing ## Send the service 20,000 requests that fit its document, and that do not (some minutes)
	@OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python -P -m tests.fuzz $(FUZZ)

check: $(VENV)/testing ## Formatter, linter, types, layers and tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

format: $(VENV)/testing ## Rewrite the files as the formatter wants them
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/testing ## Measure speed, as ratios side by side (an idle machine gives steady figures)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python -P -m tests.bench $(BENCH)

bench-gallery: $(VENV)/testing ## Measure a gallery of a million templates (several minutes, 3 GB of memory)
	@PYTHONPATH=. $(BIN)/python -P -m tests.bench.bench_gallery $(BENCH)

bench-service: $(VENV)/testing ## Measure the service under load, its start and its memory (some minutes)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python -P -m tests.bench.bench_service

clean: ## Remove the environment and every cache
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# What serves: no torch. An environment made by an older checkout is brought up to date.
$(VENV)/serving: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is %s: make PYTHON=python3.11 ..." % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what serves into $(VENV) ..."
	@$(PIP) --editable '.[cpu]'
	@touch $@

$(VENV)/testing: $(VENV)/serving
	@echo "installing what trains and tests into $(VENV) ..."
	@$(PIP) --editable '.[cpu,openvino,telemetry,train,dev]'
	@touch $@
