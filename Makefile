# make book · make test · make lab · make serve · make expected · make labs · make clean
# PYTHON=python3.12 chooses the interpreter; TORCH_INDEX=URL the package index for torch (a CPU build, say);
# PROFILE=cpu the scale at which pages run.
PYTHON ?= python3
TORCH_INDEX ?=
PROFILE ?= smoke
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export OMP_NUM_THREADS ?= 1

.PHONY: book test lab serve expected labs clean
.DEFAULT_GOAL := book

$(STAMP): pyproject.toml constraints.txt
	@echo "== environment: $(VENV), with $$($(PYTHON) --version 2>&1)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lsedu needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make $(VENV): on Debian and Ubuntu, apt install python3-venv"; exit 1; }
ifneq ($(TORCH_INDEX),)
	@echo "== environment: torch from $(TORCH_INDEX)"
	@$(BIN)/python -m pip install -c constraints.txt --no-deps --index-url $(TORCH_INDEX) torch || { echo "torch could not be installed from TORCH_INDEX=$(TORCH_INDEX)"; exit 1; }
endif
	@echo "== environment: packages (some minutes the first time)"
	@$(BIN)/python -m pip install -c constraints.txt -e ".[dev]" || { echo "the installation failed, see above; run the same command again to go on, or 'make clean' to start afresh"; exit 1; }
	@touch $@

book: $(STAMP)
	@echo "== book: execute, stage, build"
	@$(BIN)/lsedu book build --profile $(PROFILE)

test: $(STAMP)
	@echo "== test: style"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== test: imports run one way"
	@$(BIN)/lint-imports
	@echo "== test: library, doctests, labs, grading, book"
	@$(BIN)/python -m pytest --doctest-modules -m "not slow and not browser" lsedu tests

# labs/jupyter takes nbgrader's buttons out, which are for instructors
lab: $(STAMP)
	@$(BIN)/lsedu labs copy
	@JUPYTER_CONFIG_PATH=$(CURDIR)/labs/jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH} $(BIN)/jupyter lab --notebook-dir my-labs

serve: $(STAMP)
	@$(BIN)/lsedu book serve

expected: $(STAMP)
	@echo "== expected: outputs of the marked cells at the smoke profile; review the difference"
	@$(BIN)/lsedu book expected

labs: $(STAMP)
	@echo "== labs: release from solutions/"
	@$(BIN)/lsedu labs release

clean:
	rm -rf build $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis mutants
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
