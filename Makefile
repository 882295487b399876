# Every target does all its set-up from nothing; when nothing changed that takes a second or two.
# Only Python 3.12 to 3.14 has to be there before. Run `make` for the list of targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMPS := .stamps
export PATH := $(BIN):$(PATH)
# Without cached byte code, every import of the science stack takes three times as long.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

FRONT_END := $(shell find src labextension/style labextension/schema -type f 2>/dev/null) tsconfig.json labextension/install.json

.PHONY: help setup demo test test-python test-front-end test-browser screenshots lint bench docs lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

setup: $(STAMPS)/extension ## Make the development environment in .venv and build the front end

demo: setup ## Start the miniature science platform with JupyterLab
	@$(BIN)/satellite demo $(ARGS)

test: test-python test-front-end test-browser ## Run all tests: Python, TypeScript, browser

test-python: setup
	@# Most tests wait for servers and processes, so three share the work of two processors, a file at a time.
	@temporary=$$(./.ci/temporary) && trap 'rm -rf "$$temporary"' EXIT && \
		TMPDIR=$$temporary $(BIN)/python -m pytest --basetemp "$$temporary/t" --numprocesses 3 --dist loadfile

test-front-end: setup
	@jlpm test

test-browser: setup
	@CHROMIUM=$$(./ui-tests/find-chromium) && export CHROMIUM && jlpm playwright test --config ui-tests/playwright.config.ts

screenshots: setup ## Renew the documentation's pictures of the sidebar
	@CHROMIUM=$$(./ui-tests/find-chromium) && export CHROMIUM && SCREENSHOTS=$(CURDIR)/docs/images \
		jlpm playwright test --config ui-tests/playwright.config.ts story -g "dragged dataset runs"

lint: setup ## Check style, types, import directions and generated files
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m python_butler.backend.openapi --check
	@jlpm lint

bench: setup ## Measure ratios against upstream, side by side (ARGS="NAME ..." for some)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: setup ## Build the documentation into docs/_build/html
	@$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

lock: setup ## Pin the newest versions of all Python dependencies
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.12 \
		--no-emit-index-url --no-header --no-annotate --upgrade --output-file constraints.txt

clean: ## Remove everything that can be made again
	rm -rf $(VENV) $(STAMPS) node_modules .yarn lib labextension/dist docs/_build docs/api/generated \
		ui-tests/test-results ui-tests/playwright-report .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/python: pyproject.toml constraints.txt
	@mkdir -p $(STAMPS) labextension/dist
	@[[ -x $(BIN)/python ]] || "$$(./.ci/find-python)" -m venv $(VENV)
	@echo "Installing Python packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		hatchling hatch-nodejs-version hatch-jupyter-builder jupyter-builder editables
	@# The bundle is built below, by the same environment that the developer uses.
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		-c constraints.txt --editable ".[processing,postgres,s3,demo,docs,dev]"
	@touch $@

$(STAMPS)/packages: package.json yarn.lock .yarnrc.yml $(STAMPS)/python
	@echo "Installing front end packages ..."
	@jlpm install --immutable > $(STAMPS)/packages.log 2>&1 || { cat $(STAMPS)/packages.log; exit 1; }
	@touch $@

$(STAMPS)/extension: $(FRONT_END) $(STAMPS)/packages
	@echo "Building the front end ..."
	@jlpm build:prod > $(STAMPS)/build.log 2>&1 || { cat $(STAMPS)/build.log; exit 1; }
	@# Its last line, by scripts/size.mjs; the rest of the log has the parts.
	@tail -n 1 $(STAMPS)/build.log | awk '{print "Size of the bundle: " $$1, $$2 ", packed " $$3, $$4}'
	@# JupyterLab reads the bundle where it is built, so that a rebuild is seen at the next reload.
	@mkdir -p $(VENV)/share/jupyter/labextensions
	@rm -rf $(VENV)/share/jupyter/labextensions/python-butler
	@ln -s $(CURDIR)/labextension/dist $(VENV)/share/jupyter/labextensions/python-butler
	@touch $@
