# make quickstart   install, train a small grid, fit its laws, write a report (3 minutes after the install)
# make quickstart-rl  install, pretrain and learn by RL on a small task, measure a first rate (7 minutes after the install)
# make test         install, run the tests
# make targets      published numbers on outside data, in the folder that SCALING_DATA_MIRROR names
# make prove        train S5 end to end with three seeds and show that thinking and RL pay; kill runs, fill disks (8 minutes of a core)
# make check        format, lint, types, import contracts
# make reports      rebuild every published report from its records
# make bench        speed against peers and limits
#
# PYTHON=...    the interpreter to use (3.11 to 3.13; found by itself otherwise)
# PIP_ARGS=...  passed on to pip install, for example to take a CPU-only torch (see README)

VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/sh
.DELETE_ON_ERROR:

.PHONY: quickstart quickstart-rl test prove targets check reports bench clean

quickstart: $(VENV)/.train
	$(BIN)/scaling run quickstart

quickstart-rl: $(VENV)/.train
	$(BIN)/scaling run quickstart_rl

targets: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m target -q -rs --no-header -p no:cacheprovider

prove: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m prove -q -rP tests/prove tests/executors tests/training tests/cli tests/studies

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

reports: $(VENV)/.train
	for study in data/studies/*/*; do \
	    preset=$${study##*/}; name=$${study%/*}; name=$${name##*/}; \
	    $(BIN)/scaling report $$name --preset $$preset --records $$study --out reports/$$name/$$preset || exit 1; \
	done

bench: $(VENV)/.test
	for bench in benchmarks/*.py; do $(BIN)/python $$bench || exit 1; done

clean:
	rm -rf $(VENV) runs

# One install for each set of extras; a stamp says that it is done.
$(VENV)/.train: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "Installing into $(VENV): about 0.5 GB to download with a CPU-only torch, 3 GB with CUDA (see README)."
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[train]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "Installing into $(VENV): about 0.7 GB to download with a CPU-only torch, 3 GB with CUDA (see README)."
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[train,test,dev,importers,importers-test]'
	@# apart: a package that reasoning-gym needs is compiled at its install, so it takes a C compiler
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e '.[gym]' || \
	    echo "reasoning-gym is not installed: its tests are skipped, or fail with SCALING_TOOLS=1"
	@touch $(VENV)/.train $@

# Candidates are tried by running them: a name on the PATH may be a shim without an interpreter behind it.
$(VENV)/.made:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	    $$python -c 'import ensurepip, venv' 2>/dev/null || \
	        { echo "$$python has no venv module: install it (Debian: apt install python3-venv) or set PYTHON=..."; exit 1; }; \
	    $$python -m venv $(VENV) && touch $@ && exit 0; \
	    exit 1; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 was not found: install one, or name it with PYTHON=..."; exit 1
