# The course in a few words: `make help`.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python
DONE := .venv/.installed
BUILD ?= build
LESSONS := $(sort $(wildcard notebooks/[0-9]*.ipynb)) $(sort $(wildcard notebooks/solutions/*.ipynb))
CORE := $(sort $(wildcard notebooks/0[1-4]_*.ipynb))

export DCGAN_PROFILE DCGAN_DATA

.DEFAULT_GOAL := help
.PHONY: help setup check lab run test bench execute weights images lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(DONE)  ## install everything into .venv (the other targets do it by themselves)

$(DONE): requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 12) else f"Python {v[0]}.{v[1]} will not do: MindSpore 2.10 needs Python 3.10, 3.11 or 3.12. Install one and say: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -q -c constraints.txt -r requirements-dev.txt
	$(PY) -m pip install -q -c constraints.txt --no-deps --no-build-isolation -e .
	@touch $(DONE)

check: $(DONE)  ## is this machine ready? one line for each thing
	@$(PY) -m dcgan_utils check

lab: $(DONE)  ## open JupyterLab in notebooks/
	cd notebooks && ../$(BIN)/jupyter lab

run: $(DONE)  ## train: lessons 01-04 from start to end, results in build/
	$(PY) tools/notebooks.py run $(CORE) --into $(BUILD)

test: $(DONE)  ## ruff, pytest, and every cell of every notebook at a small size
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PY) -m pytest
	$(PY) tools/notebooks.py smoke

bench: $(DONE)  ## time the step, the pipeline and the start; PYTORCH=python-with-torch joins in
	$(PY) benchmarks/bench.py $(if $(PYTORCH),--pytorch $(PYTORCH))

execute: $(DONE)  ## run all notebooks in the class profile and store their outputs
	$(PY) tools/notebooks.py execute $(LESSONS)

weights: $(DONE)  ## train the networks in weights/ anew, which lessons start from (30 epochs)
	$(PY) tools/make_weights.py

images: $(DONE)  ## draw the pictures at the head of each lesson anew
	$(PY) tools/make_images.py

lock: $(DONE)  ## make constraints.txt anew from the requirements
	$(PY) -m uv pip compile --universal --python-version 3.10 --no-emit-index-url \
	  --custom-compile-command 'make lock' requirements-dev.txt -o constraints.txt -q --upgrade

clean:  ## delete build/ (trained networks too), not the pictures in data/
	rm -rf build
