# Grokbook: `make book` and `make test` are all that is needed, and each sets up .venv first.
# GNU make 3.81 suffices, and the folder's path may hold a space.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
UV ?= .uv/bin/uv
CHAPTER ?= $(notdir $(basename $(wildcard book/*.ipynb)))

# One thread a process: faster on a shared machine, with the same numbers.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

# A named PYTHON is taken or refused; the default may give way to another one that fits.
ifeq ($(origin PYTHON),file)
CANDIDATES = $(PYTHON) python3.13 python3.12 python3.11
else
CANDIDATES = "$(PYTHON)"
endif
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Shell: sets $python to an interpreter that can make the environment, or says what is missing.
FIND_PYTHON = python=; unfit=; \
	for candidate in $(CANDIDATES); do \
		"$$candidate" -c '$(FITS)' 2>/dev/null || continue; \
		unfit="$$candidate"; \
		"$$candidate" -c 'import ensurepip, venv' 2>/dev/null && python="$$candidate" && break; \
	done; \
	if [ -z "$$python" ] && [ -z "$$unfit" ]; then \
		echo "Grokbook needs Python 3.11, 3.12 or 3.13, and found none (tried:" $(CANDIDATES)"):" \
			"install one, or name it, as in make PYTHON=/path/to/python3.12" >&2; exit 1; \
	elif [ -z "$$python" ]; then \
		echo "Grokbook needs the venv module, and $$unfit has none:" \
			"install it (Debian, Ubuntu: python3-venv), or name another Python," \
			"as in make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi

# Shell: the book and its tests see book/runs and an empty store, never the runs of whoever builds.
EMPTY_STORE = GROKBOOK_RUNS=$$(mktemp -d) && export GROKBOOK_RUNS && \
	trap 'rm -rf "$$GROKBOOK_RUNS"' EXIT && trap 'exit 130' INT TERM

# A moved checkout has scripts that point to its old place: it needs its environment anew.
MOVED := $(shell [ ! -e $(VENV)/.installed ] || [ "$$(cat $(VENV)/.installed)" = "$$PWD" ] || echo moved)

BUILD = $(BIN)/jupyter-book build . -W -n --keep-going
PYTEST = $(BIN)/python -m pytest
HEADLINE = @printf '\n==== %s ====\n'

.DEFAULT_GOAL := book
.PHONY: book test notebooks lock clean help moved

# What a build may keep from the last one is decided by grokbook.sphinxext.
book: $(VENV)/.installed  ## build the book: _build/html/index.html (the default)
	@$(EMPTY_STORE) && $(BUILD)
	@echo "Read it: $$PWD/_build/html/index.html"

# ------------------------------------------------------------------------------------------- tests
# Each check also runs alone, as in `make check-chapters`.
CHECKS = style package chapters presets verdicts build pages

test: $(VENV)/.installed  ## run every check; the first that fails ends it
	@begin=$$(date +%s); summary=; failed=; \
	for check in $(CHECKS); do \
		start=$$(date +%s); \
		if [ -n "$$failed" ]; then result='not run'; \
		elif $(MAKE) --no-print-directory check-$$check; then result=passed; \
		else result=FAILED; failed=$$check; fi; \
		summary="$$summary$$(printf '%-8s %5d s  check-%s' "$$result" $$(($$(date +%s) - start)) $$check)|"; \
	done; \
	printf '\n==== Summary ====\n'; printf '%s' "$$summary" | tr '|' '\n'; \
	total=$$(($$(date +%s) - begin)); \
	printf 'Total: %d min %02d s. ' $$((total / 60)) $$((total % 60)); \
	if [ -n "$$failed" ]; then echo "Failed: $$failed."; exit 1; else echo "Everything passed."; fi

check-style: $(VENV)/.installed
	$(HEADLINE) 'Style: ruff'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

check-package: $(VENV)/.installed
	$(HEADLINE) 'Package: tests with warnings as errors and shapes checked, then doctests'
	@$(EMPTY_STORE) && $(PYTEST) tests -n auto --dist worksteal --jaxtyping-packages=grokbook,beartype.beartype \
		--ignore=tests/site --ignore=tests/test_replay.py --ignore=tests/test_verdicts.py
	@$(EMPTY_STORE) && $(PYTEST) grokbook -n auto --dist worksteal --doctest-modules \
		--jaxtyping-packages=grokbook,beartype.beartype

check-chapters: $(VENV)/.installed
	$(HEADLINE) 'Chapters: stored outputs against a fresh execution'
	@$(EMPTY_STORE) && $(PYTEST) -n auto --dist loadfile --nbval-lax --nbval-current-env \
		--nbval-cell-timeout=600 --timeout=900 book

check-presets: $(VENV)/.installed
	$(HEADLINE) 'Presets: every chapter trains something new and groks'
	@$(BIN)/python -m tests.quick_presets

check-verdicts: $(VENV)/.installed
	$(HEADLINE) 'Verdicts: replay of archived runs, and every claim as stored → now'
	@$(EMPTY_STORE) && $(PYTEST) -n auto --dist loadgroup -rP --timeout=900 \
		tests/test_verdicts.py tests/test_replay.py

# A folder of its own: everything is executed from clean, and a finished book stays readable.
check-build: $(VENV)/.installed
	$(HEADLINE) 'Book: a clean build without a warning'
	@rm -rf _build/check
	@$(EMPTY_STORE) && $(BUILD) --path-output _build/check

check-pages: $(VENV)/.installed
	$(HEADLINE) 'Pages: the built book in a browser'
	@GROKBOOK_HTML="$$PWD/_build/check/_build/html" $(PYTEST) -n auto --dist loadscope tests/site

# --------------------------------------------------------------------------------------- upkeep
notebooks: $(VENV)/.installed  ## execute chapters and store their outputs (CHAPTER=01_phenomenon for one)
	@$(EMPTY_STORE) && $(BIN)/python -m grokbook execute $(CHAPTER) --store
	@$(BIN)/python -m tests.readme_picture

lock:  ## renew requirements.txt from pyproject.toml (LOCKFLAGS=--upgrade for newer versions)
	@[ -x "$(UV)" ] || { $(FIND_PYTHON); rm -rf .uv; "$$python" -m venv .uv && \
		.uv/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@"$(UV)" pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-header \
		--annotation-style line --quiet $(LOCKFLAGS) --output-file requirements.txt
	@{ printf '%s\n' \
		'# Every package of the book and its tests, for Python 3.11 to 3.13. Made by `make lock` from' \
		'# pyproject.toml, with: uv pip compile --universal. Asked for there, and why:'; \
		sed -n '/^dependencies/,/^\[project.scripts/s/^    "\([^"]*\)",  # \(.*\)/#   \1: \2/p' pyproject.toml; \
		echo '#'; \
		cat requirements.txt; } > requirements.new
	@mv requirements.new requirements.txt

clean:  ## remove what was built (.venv stays)
	@rm -rf _build build .uv .pytest_cache .ruff_cache .hypothesis grokbook.egg-info
	@find . -path ./$(VENV) -prune -o -path ./.git -prune -o \
		\( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -prune -exec rm -rf {} +

help:  ## list what make can do here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

# .installing is there while an installation runs, holds the place of the checkout, and becomes the
# stamp at the end: one that is found was interrupted, and its environment is made anew.
$(VENV)/.installed: requirements.txt pyproject.toml $(MOVED)
	@set -e; \
	if [ -n "$(MOVED)" ] || [ -e $(VENV)/.installing ] || ! $(BIN)/python -c '$(FITS)' 2>/dev/null \
		|| ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		$(FIND_PYTHON); \
		echo "Setting up $(VENV) with $$python; the first time takes some minutes."; \
		rm -rf $(VENV); "$$python" -m venv $(VENV); \
	fi; \
	rm -f $(VENV)/.installed; echo "$$PWD" > $(VENV)/.installing; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation -e .; \
	mv $(VENV)/.installing $(VENV)/.installed
