# Targets build .venv when it is older than the requirement files. pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, …) are honoured.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PIP := $(PY) -m pip --disable-pip-version-check install -q -c requirements/constraints.txt

.PHONY: help venv demo test test-full check format matrix bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

venv: $(STAMP)  ## create or refresh .venv

$(STAMP): requirements/constraints.txt requirements/host.txt requirements/runtime.txt requirements/dev.txt setup.py
	@python=$$(tools/dev/find_python.sh) && { [ -x $(PY) ] || "$$python" -m venv $(VENV); }
	@echo "Installing the stack into $(VENV) (about 5.5 GB with CUDA libraries, 2 to 10 minutes) ..."
	@$(PIP) -r requirements/runtime.txt -r requirements/dev.txt
	@$(PIP) --no-deps -r requirements/host.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(PY) -c "import torch, torchvision; print('torch', torch.__version__, 'torchvision', torchvision.__version__)" \
	  || { echo "torch and torchvision do not belong together; see requirements/constraints.txt" >&2; exit 1; }
	@touch $@

clean:  ## remove caches and builds, keep .venv and work_dirs
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
