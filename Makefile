# Every target is a thin call of `llmcourse …`, which also works without make. The first one that needs
# .venv makes it: Python 3.11 or newer and make are all that must be there.
#
#   make book TORCH_INDEX=https://download.pytorch.org/whl/cpu    PyTorch without CUDA: gigabytes less on Linux
#   make book PYTHON=/path/to/python3.12                          another Python than the one that is found
#   make test ARGS="tests/model -k cache"                         options for the command

STAMP := .venv/.installed
RUN := .venv/bin/python -m llmcourse.cli
ARGS ?=
export TORCH_INDEX PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup book serve lab notebooks test check exercises grade-demo bench models lock clean

help:  ## Show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP)  ## Make .venv and install everything into it; the other targets do this by themselves

book: $(STAMP)  ## Build the book: _build/html/index.html
	@$(RUN) book $(ARGS)

serve: book  ## Build the book and show it at http://127.0.0.1:8000
	@$(RUN) serve

lab: $(STAMP)  ## Open JupyterLab with the chapters as notebooks, and the exercises
	@$(RUN) lab $(ARGS)

notebooks: $(STAMP)  ## Write the chapters as notebooks beside their sources
	@$(RUN) notebooks

test: $(STAMP)  ## Run every test
	@$(RUN) test $(ARGS)

check: $(STAMP)  ## Read the code with ruff, mypy, import-linter and codespell
	@$(RUN) check $(ARGS)

exercises: $(STAMP)  ## Write exercises/ from solutions/
	@$(RUN) exercises

grade-demo: $(STAMP)  ## Grade a made-up class from release to export
	@$(RUN) grade-demo $(ARGS)

bench: $(STAMP)  ## Time the package beside the libraries that do the same work
	@$(RUN) bench $(ARGS)

models: $(STAMP)  ## Train the shipped checkpoint again
	@$(RUN) models $(ARGS)

lock: $(STAMP)  ## Choose exact versions again: requirements.lock (needs uv)
	@$(RUN) lock

clean:  ## Delete what was built; .venv stays
	rm -rf _build chapters/*.ipynb

$(STAMP): requirements.lock pyproject.toml
	@sh scripts/bootstrap.sh
