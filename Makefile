# Commands for a fresh machine: `make demo`, `make demo-atac`, `make demo-expression`,
# `make demo-links`, `make demo-neurons` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | column -t -s:

install: $(READY) bedtools  ## Make .venv from the lock

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) is $(PYTHON). Try: make demo PYTHON=python3.11"; exit 1; }
	@command -v c++ >/dev/null || { echo "A C++ compiler is needed (bbknn's annoy). Type: sudo apt-get install -y g++"; exit 1; }
	@echo "Installing Python packages into $(VENV): about 2.4 GB (more with CUDA), three to five minutes without a word"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==$$(sed -n 's/^torch==//p' requirements.lock)
	$(BIN)/pip install --quiet -r requirements.lock
	@touch $@

.PHONY: bedtools
bedtools:
	@command -v bedtools >/dev/null || workflow/install_bedtools.sh

.PHONY: demo
demo: install  ## Run the built-in data set and make its report
	@workflow/demo.sh $(CORES)

.PHONY: demo-atac
demo-atac: install  ## Run the built-in multiome with scBasset and make its report
	@workflow/demo.sh $(CORES) config/demo_atac.yaml

.PHONY: demo-expression
demo-expression: install  ## Run the built-in populations with scXpresso and make their report
	@workflow/demo.sh $(CORES) config/demo_expression.yaml

.PHONY: demo-neurons
demo-neurons: install  ## Run the built-in multiome and read what its network's neurons answer to
	@workflow/demo.sh $(CORES) config/demo_neurons.yaml

.PHONY: demo-links
demo-links: install  ## Run the built-in distal links with the cRE attention model and make their report
	@workflow/demo.sh $(CORES) config/demo_links.yaml

.PHONY: test
test: install lint unit-test workflow-test  ## Lint, unit tests, plans, for each commit

IN_PARALLEL := --numprocesses auto --dist loadfile --max-worker-restart 0

.PHONY: lint
lint: $(READY)
	ruff format --check .
	ruff check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

.PHONY: unit-test
unit-test: install
	pytest tests/unit src --doctest-modules --doctest-ignore-import-errors --numprocesses auto

.PHONY: workflow-test
workflow-test: install
	pytest tests/workflow $(addprefix --ignore tests/workflow/,runs faults slurm) $(IN_PARALLEL)

.PHONY: run-test
run-test: install  ## Small runs of the pipeline, each of its parts once
	pytest tests/workflow/runs $(IN_PARALLEL)

.PHONY: fault-test
fault-test: install  ## Runs that are killed, all awkward data sets (an hour and more)
	CISGRAMMAR_AWKWARD=all pytest tests/workflow/faults $(IN_PARALLEL)

.PHONY: test-all
test-all: test run-test fault-test docs test-slurm  ## Everything that can fail, for a release

TUTORIAL := results/tutorial/scover

.PHONY: tutorial
tutorial: install  ## Make the small results that docs/tutorial.md reads
	snakemake --quiet --cores $(CORES) --configfile config/tutorial.yaml -- \
		$(TUTORIAL)/for_scanpy.h5ad $(TUTORIAL)/neurons/neurons.tsv

.PHONY: docs
docs: tutorial  ## Build the documentation site and run its notebook (a dead link is an error)
	$(BIN)/pip install --quiet -r docs/requirements.lock
	PYTHONPATH="$(CURDIR)/src" python -m sphinx -q -E -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

MINUTES ?= 5

.PHONY: fuzz
fuzz: install  ## Damage files at random for MINUTES (5), which readers must refuse in words
	python tests/fuzz/fuzz_readers.py --minutes $(MINUTES)

.PHONY: test-slurm
test-slurm: install  ## Run on a Slurm brought up for it (as root it installs what that needs)
	pytest tests/workflow/slurm -rs

.PHONY: bench
bench: install  ## Measure speed and memory against the published layers
	python benchmarks/run.py

.PHONY: clean
clean:  ## Remove results and logs, keep .venv
	rm -rf results logs benchmarks/results .snakemake
