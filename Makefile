# Every command of the workbook. `make` alone prints them. What a target is given (P, PARAMS, RUN, ...)
# reaches Python through the environment and is never pasted into a shell line. The targets that run Python
# of this project are aliases of `.venv/bin/python -m lib.cli`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The beginning of a command in .venv, if that starts the Python beside it: wherever the folder is moved or copied
# to, or at least here. Without one .venv was built elsewhere, or its Python is gone, and it is built anew.
OWN := $(shell test -x $(BIN)/python && head -n 2 $(BIN)/papermill 2>/dev/null | grep -F -e dirname -e "$$(pwd -P)/$(BIN)/")
OUTPUTS := $(or $(WORKBOOK_OUTPUTS),$(CURDIR)/outputs)
# The systems and Pythons that the locks are for: those of `environments` in pyproject.toml, by uv's names.
PLATFORMS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin
PYTHONS := 3.11 3.12 3.13 3.14
# What `make clean` leaves in the outputs: downloads, what was tracked, registered and predicted, a learner's progress.
KEPT := cache mlflow.db mlflow.db-journal mlflow.db-shm mlflow.db-wal mlartifacts marks wandb predictions learner
# All notebooks, which lint and format look at.
BOOKS := notebooks/*.ipynb notebooks/lessons/*.ipynb notebooks/exercises/*.ipynb notebooks/exercises/sources/*.ipynb
STRIP := --keep-id --extra-keys "metadata.papermill cell.metadata.papermill"

# A step's target is its notebook's name: notebooks/07_predict.ipynb joins as `make predict` by being there.
STEPS_HERE := $(patsubst notebooks/%.ipynb,%,$(sort $(wildcard notebooks/[0-9][0-9]_*.ipynb)))
name_of = $(subst $(firstword $(subst _, ,$(1)))_,,$(1))

# What stands on make's own command line is taken as it is: a `$` in it is no reference and runs nothing.
# SETTINGS count from the environment as well. What names a thing counts on the command line alone, as other
# programs export a NAME or a VERSION of their own: Python gets it as GIVEN_NAME, and never reads the bare name.
SETTINGS := P PARAMS STEPS FORCE JOBS SAMPLE REFERENCE ALPHA
NAMES := RUN NAME DATA TARGET MODEL VERSION ALIAS REASON PORT LESSON SOLUTION
literal = $(if $(filter command,$(origin $(1))),$(eval override $(1) := $$(value $(1))))
$(foreach v,$(SETTINGS) $(NAMES),$(call literal,$(v)))
$(foreach v,$(NAMES),$(eval override GIVEN_$(v) := $(if $(filter command override,$(origin $(v))),$$(value $(v)))))
$(foreach v,$(NAMES),$(if $(GIVEN_$(v)),$(eval unexport $(v))))
export $(SETTINGS) $(foreach v,$(NAMES),GIVEN_$(v))
export MLFLOW_DISABLE_TELEMETRY ?= true
# OpenMP threads that wait for one another must not hold a busy core; read once, when the library loads.
export OMP_WAIT_POLICY ?= PASSIVE
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION ?= false
# Without compiled bytecode every start compiles what it imports again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

help: ## print this list
	@echo "The MLOps workbook. With PARAMS=params/<problem>.yaml, P=\"max_evals=10 models=[xgboost]\", RUN=name:"
	@awk -F ':[^#]*## ' '/^[a-zA-Z0-9_.-]+:[^=]*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@for step in $(foreach s,$(STEPS_HERE),$(call name_of,$(s))); do \
	  printf '  make %-14s %s\n' $$step "that step, after what it needs"; done

pipeline: $(READY) ## run what is out of date, of all the notebooks, on generated data or on PARAMS
	@exec $(BIN)/python -m lib.cli pipeline

plan: $(READY) ## say which steps would run and why, without running them
	@exec $(BIN)/python -m lib.cli plan

status: $(READY) ## the last run of each run name, step by step
	@exec $(BIN)/python -m lib.cli status

sweep: $(READY) ## the grid of P="feature_set=zoomcamp,rich max_evals=10,20", compared; JOBS=2 runs two steps at once
	@exec $(BIN)/python -m lib.cli sweep

all-problems: $(READY) ## every problem there is, small and on generated data
	@exec $(BIN)/python -m lib.cli all-problems

options: $(READY) ## the options of a problem, its feature sets and families: PARAMS=params/green_taxi.yaml
	@exec $(BIN)/python -m lib.cli options

new-problem: $(READY) ## write a problem of your own: NAME=churn DATA=path/to/file.csv TARGET=column
	@exec $(BIN)/python -m lib.cli new-problem

# What lessons alone need will be a dependency group `lessons` of pyproject.toml, which `make lock` locks to that file.
lessons: $(READY) ## run every lesson by itself, or one (LESSON=01), into outputs/lessons
	@if test -f requirements/lessons.txt; then $(USE_UV); \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/lessons.txt; fi
	@exec $(BIN)/python -m lib.cli lessons

# What it runs first may be lessons, so it needs what they need.
book: $(READY) ## pages, lessons, exercises and docs as a book, in outputs/book; runs first what it lacks
	@$(USE_UV); $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/lessons.txt -r requirements/book.txt
	@exec $(BIN)/python -m lib.cli book

docs: $(READY) ## write anew the pages of docs/ that are made of the code: options
	@exec $(BIN)/python -m lib.cli docs

check: $(READY) ## check the exercise of a lesson as you filled it in (LESSON=01; SOLUTION=1 asks the solution)
	@exec $(BIN)/python -m lib.cli check

progress: $(READY) ## which checks of which exercises you have passed
	@exec $(BIN)/python -m lib.cli progress

capstone: $(READY) ## judge a problem of your own, from its file to its champion: PARAMS=params/<yours>.yaml
	@exec $(BIN)/python -m lib.cli capstone

exercises: $(READY) ## make the blanks of the exercises anew (LESSON=01: of one); what you wrote is kept aside
	@exec $(BIN)/python -m lib.cli exercises

test-data: $(READY) ## a problem's checks on your files: PARAMS=... SAMPLE=a.csv REFERENCE=b.csv ALPHA=0.05
	@exec $(BIN)/python -m pytest -o addopts= -q -rf --tb=line tests/data/test_named_files.py

lab: $(READY) ## open the start page in JupyterLab, on 127.0.0.1: from there all notebooks
	@if test "$$(id -u)" = 0; then root=--allow-root; \
	  echo "You are root, as in a container: JupyterLab is told to allow it. Whoever opens it can do all that root can."; fi; \
	exec $(BIN)/jupyter lab --ip=127.0.0.1 --port=$${GIVEN_PORT:-8888} --ServerApp.root_dir=. --LabApp.app_settings_dir=lab \
	  --LabApp.default_url=/lab/tree/docs/start.md $$root

mlflow: $(READY) ## open MLflow's pages on 127.0.0.1: runs, trials, models
	@echo "http://127.0.0.1:$${GIVEN_PORT:-5000}"
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/mlflow server --host 127.0.0.1 --port $${GIVEN_PORT:-5000} --workers 1 \
	  --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///$(OUTPUTS)/mlflow.db}"

wandb-sync: $(READY) ## send the offline W&B runs, if there is a key
	@exec $(BIN)/python -m lib.cli wandb-sync

versions: $(READY) ## the registered versions of a model and their aliases (MODEL=name)
	@exec $(BIN)/python -m lib.cli versions

promote: $(READY) ## make a version the champion (MODEL=name VERSION=2; by default the challenger)
	@exec $(BIN)/python -m lib.cli promote

rollback: $(READY) ## make the champion before this one the champion again (MODEL=name)
	@exec $(BIN)/python -m lib.cli rollback

retire: $(READY) ## take a version out of use for good: no alias, no contest (MODEL=name VERSION=2 REASON="why")
	@exec $(BIN)/python -m lib.cli retire

test: lint ## lint, unit tests, every notebook by nbmake, and one whole pipeline
	@$(BIN)/python -m pytest tests -m "not slow" -n 2 --dist loadfile
	@WORKBOOK_OUTPUTS="$(OUTPUTS)/test" $(BIN)/python -m pytest --nbmake notebooks/[0-9][0-9]_*.ipynb
	@WORKBOOK_OUTPUTS="$(OUTPUTS)/test" PARAMS= P= STEPS= FORCE=1 $(BIN)/python -m lib.cli pipeline

test-extras: $(READY) ## install what some tests need and skip without: Sphinx, and what drives your chromium
	@$(USE_UV); $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes \
	  -r requirements/browser.txt -r requirements/book.txt

test-slow: $(READY) ## the tests that take minutes
	@exec $(BIN)/python -m pytest tests -m slow

lint: $(READY) ## ruff, its formatting, mypy, and that no notebook has outputs or another machine's kernel
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --no-cache --check .
	@$(BIN)/mypy
	@$(BIN)/nbstripout --verify $(STRIP) $(BOOKS)
	@$(BIN)/python -m lib.cli kernel-name $(BOOKS)

format: $(READY) ## format the code, strip the notebooks' outputs, and name their kernel
	@$(BIN)/ruff check --no-cache --fix-only --quiet .
	@$(BIN)/ruff format --no-cache .
	@$(BIN)/python -m lib.cli kernel-name --mend $(BOOKS)
	@$(BIN)/nbstripout $(STRIP) $(BOOKS)

bench: $(READY) ## time the pipeline against one plain Python process, and more; ONLY=pipeline runs one
	@exec $(BIN)/python -m benchmarks $(if $(filter command,$(origin ONLY)),$(ONLY))

mutants: $(READY) ## put mistakes into the code, one at a time, and see that the tests notice; ONLY=splits one area
	@$(USE_UV); $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/mutants.txt
	@exec $(BIN)/python tests/mutants.py $(if $(filter command,$(origin ONLY)),$(ONLY))

# Only what has wheels is locked, and the result is asked of every system and Python: a resolver that may build
# from source pins, where nothing newer fits, releases of years ago that no build succeeds for.
lock: $(READY) ## compile the locks again from the ranges in pyproject.toml (UPGRADE=1: to the newest versions)
	@$(USE_UV); set -e; \
	compile="$(BIN)/uv pip compile --quiet --universal --python-version $(firstword $(PYTHONS)) --generate-hashes \
	  --only-binary :all: $(if $(filter command,$(origin UPGRADE)),--upgrade)"; \
	UV_CUSTOM_COMPILE_COMMAND="make lock"; export UV_CUSTOM_COMPILE_COMMAND; \
	$$compile pyproject.toml --group notebooks --group dev -o requirements.txt; \
	for group in $$($(BIN)/python -c 'import tomllib; groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; \
	  print(*sorted(groups.keys() - {"notebooks", "dev"}))'); do \
	  $$compile --group $$group -c requirements.txt -o requirements/$$group.txt; \
	done; \
	for platform in $(PLATFORMS); do for version in $(PYTHONS); do \
	  $(BIN)/uv pip install --quiet --dry-run --target $(VENV)/dry-run --only-binary :all: --require-hashes \
	    --python-platform $$platform --python-version $$version \
	    $$(printf -- '-r %s ' requirements.txt requirements/*.txt) \
	  || { echo "The locks cannot be installed on $$platform with Python $$version." >&2; exit 1; }; \
	done; done; \
	rm -rf $(VENV)/dry-run

clean: ## remove what runs have made; what was downloaded, tracked, registered, predicted and learnt stays
	@$(call empty_outputs,$(KEPT))
	@rm -rf .mypy_cache .pytest_cache .ruff_cache

clean-all: ## remove all of it, downloads and the registry too, and .venv
	@$(call empty_outputs,)
	@echo "Removed $(VENV), which the next command builds again."
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

# Removes what lies in the outputs but for $(1), and says so. Refused: a folder around the project or the user's home,
# and one elsewhere that has files beside those of KEPT and nothing that tells of runs.
empty_outputs = folder="$${WORKBOOK_OUTPUTS:-outputs}"; project=$$(pwd -P); home=$$(cd 2>/dev/null && pwd -P); \
	own= gone= kept=; test -L outputs || own=$$(cd outputs 2>/dev/null && pwd -P); \
	cd "$$folder" 2>/dev/null || { echo "There is no $$folder: nothing to remove."; exit 0; }; \
	here=$$(pwd -P); \
	case "$$project/ $$home/" in "$${here%/}"/*|*" $${here%/}"/*) foreign=yes ;; *) foreign= ;; esac; \
	if test "$$here" != "$$own" && test -z "$$(ls -d last.json */run.json */.problems.json lessons/.lessons.json 2>/dev/null)"; then \
	  foreign=$$foreign$$(find . $(foreach name,$(KEPT),-path ./$(name) -prune -o) ! -type d -print | head -n 1); fi; \
	if test -n "$$foreign"; then \
	  echo "$$here is no folder that runs have filled: nothing is removed. Correct WORKBOOK_OUTPUTS." >&2; exit 1; fi; \
	for name in * .[!.]*; do \
	  test -e "$$name" || test -L "$$name" || continue; \
	  case " $(1) " in \
	    *" $$name "*) kept="$$kept $$name" ;; \
	    *) test "$$name" = .gitignore || { rm -rf "./$$name"; gone="$$gone $$name"; } ;; \
	  esac; \
	done; \
	echo "Removed from $$here:$${gone:- nothing}."; \
	test -z "$$kept" || echo "Kept:$$kept. \`make clean-all\` removes that as well."

# From the index that pip is set to, and for the Python that is here.
USE_UV = index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}}; \
	if [ -n "$$index" ]; then UV_DEFAULT_INDEX=$$index; export UV_DEFAULT_INDEX; fi; \
	UV_PYTHON_DOWNLOADS=never; export UV_PYTHON_DOWNLOADS

# The environment: what builds it, then the lock, by uv or else by pip, every file checked by its hash; then this
# project's `lib`, editable, by a path that is relative: a copied or moved folder runs its own code. A kernel does not
# warn that it listens on 127.0.0.1. Where the locks have nothing, pip would install just that without a word: refused.
$(READY): requirements.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import platform, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) or \
	  (sys.platform, platform.machine()) not in {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")})' \
	  || { echo "The workbook needs Python 3.11 to 3.14 (make PYTHON=/path/to/python3.12 pipeline)," \
	    "on Linux (x86_64 or aarch64), macOS on Apple silicon, or WSL." >&2; exit 1; }
	@echo "Building $(VENV) from requirements.txt ..."
	@$(if $(findstring dirname,$(OWN)),,rm -rf $(VENV); $(PYTHON) -m venv $(VENV))
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@$(USE_UV); \
	$(BIN)/uv venv --quiet --no-project --allow-existing --relocatable --python $(BIN)/python $(VENV) && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.txt \
	|| { echo "uv could not; pip tries."; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@for packages in $(VENV)/lib/python3*/site-packages; do echo ../../../.. > $$packages/_mlops_workbook.pth; done
	@for pip in $(BIN)/pip*; do printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m pip "$$@"\n' > $$pip; done
	@mkdir -p $(VENV)/etc/ipython; echo '{"IPKernelApp": {"log_level": "ERROR"}}' > $(VENV)/etc/ipython/ipython_kernel_config.json
	@touch $@
ifeq ($(OWN),)
.PHONY: $(READY)
endif

# One target a step, from the notebooks that are there.
define step_target
$(call name_of,$(1)): $(READY)
	@exec $(BIN)/python -m lib.cli pipeline $(call name_of,$(1))
.PHONY: $(call name_of,$(1))
endef
$(foreach step,$(STEPS_HERE),$(eval $(call step_target,$(step))))

.PHONY: help pipeline plan status sweep all-problems options new-problem lessons book docs check progress capstone exercises test-data lab mlflow wandb-sync versions promote rollback retire test test-extras test-slow lint format bench mutants lock clean clean-all
