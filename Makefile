# Targets rebuild .venv when it is older than the requirement files. pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, …) are honoured.
SHELL := /bin/bash
QUICK := $(addprefix tests/test_,functional models datasets config evaluation) tests/test_lab/test_stats icckd_mm
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PIP := $(PY) -m pip --disable-pip-version-check install -q -c requirements/constraints.txt

.PHONY: help venv demo test test-quick test-full check format docs docs-check tutorial study study-quick soak matrix bench gpu clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

venv: $(STAMP)  ## create or refresh .venv

$(STAMP): requirements/constraints.txt requirements/host.txt requirements/runtime.txt requirements/dev.txt requirements/docs.txt requirements/tune.txt requirements/timm.txt setup.py
	@python=$$(tools/dev/find_python.sh) && { [ -x $(PY) ] || "$$python" -m venv $(VENV); }
	@echo "Installing the stack into $(VENV) (about 5.5 GB with CUDA libraries, 2 to 10 minutes) ..."
	@$(PIP) -r requirements/runtime.txt -r requirements/dev.txt -r requirements/docs.txt -r requirements/tune.txt -r requirements/timm.txt
	@$(PIP) --no-deps -r requirements/host.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(PY) -c "import torch, torchvision; print('torch', torch.__version__, 'torchvision', torchvision.__version__)" \
	  || { echo "torch and torchvision do not match; see requirements/constraints.txt" >&2; exit 1; }
	@touch $@

demo: venv  ## train two teachers and three students on digits, compare (about 3 minutes on 2 cores)
	$(PY) tools/demo.py

test: venv  ## the tests that CI runs
	$(PY) -m pytest -q -n 2 --dist loadfile -m "not slow"

test-quick: venv  ## the inner loop: formulas, modules, data, configs, statistics, examples (below 2 minutes)
	$(PY) -m pytest -q -n 2 --dist loadfile -m "not slow and not processes" $(QUICK)

test-full: venv  ## all tests, including those too slow for CI
	$(PY) -m pytest -q -n 2 --dist loadfile

check: venv  ## lint, format and types: all of pre-commit
	$(PY) -m pre_commit run --all-files --show-diff-on-failure

format: venv  ## format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: venv  ## run all benchmarks (half an hour; needs an idle machine)
	mkdir -p work_dirs
	$(PY) benchmarks/run.py --out work_dirs/bench.json

study-quick: venv  ## a few minutes of the digits study, to check that it runs
	$(PY) tools/experiment.py docs/study/plans/digits_quick.py --resume

study: venv  ## the digits study, 450 runs (docs/experiments.md)
	$(PY) tools/experiment.py docs/study/plans/digits.py --resume

gpu: venv  ## ask a GPU in 8 minutes: correctness, speed, a study (docs/gpu.md); DATA=archive of images
	$(PY) -I tools/dev/gpu_quarter_hour.py --out work_dirs/gpu $(if $(DATA),--data $(DATA)) $(GPU)

docs: venv  ## build the docs into build/docs, warnings are errors
	$(PY) -m sphinx -W --keep-going -q -b html docs build/docs

docs-check: docs  ## build the docs, then open all pages in Chromium at two widths (needs chromium)
	$(PY) tools/dev/check_pages.py build/docs

tutorial: venv  ## run the tutorial and write its notebook (1 to 3 minutes)
	$(PY) docs/tutorial/make_notebook.py

soak: venv  ## kill and resume a training for 30 minutes, compare with an uninterrupted one
	OMP_NUM_THREADS=1 $(PY) tools/dev/soak.py

matrix:  ## compat tests on torch 2.1 to the newest, numpy 1 and 2, Python 3.9 to 3.13 (about 30 minutes, 6 GB at a time)
	@python=$$(tools/dev/find_python.sh) && "$$python" tools/dev/matrix.py $(ROWS)

clean:  ## remove caches and builds, keep .venv and work_dirs
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
