# make run      a bare checkout becomes a running service
# make test     all tests, with a real Redis, PostgreSQL and browser where they can be installed
# make check    what CI runs: tests, style, types, scripts, the pages' modules
# make help     the rest

# An index of packages to have torch from, where the usual one has it for CUDA only: `make run TORCH_INDEX=ADDRESS`.
TORCH_INDEX ?=
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
# Tests are rewritten when they are loaded, in several processes: what was compiled is kept for the next run.
unexport PYTHONDONTWRITEBYTECODE

# `make run ASR_MODELS=paraformer-zh PORT=8080` reaches the program like environment variables do.
export ASR_MODELS ASR_DEVICE ASR_COMPUTE_TYPE ASR_DATA_DIR ASR_ACCESS HOST PORT DEMO REDIS_URL DATABASE_URL ALLOWED_HOSTS

.PHONY: run prepare test check lint types scripts page-modules format translations screenshots bench chaos gpu soak
.PHONY: scale-demo train lock wheel sbom audit servers help

run: prepare ## Serve pages and sockets on http://127.0.0.1:8000/ with a sample meeting (DEMO=0: without)
	$(BIN)/python manage.py serve --demo

prepare: .venv/installed
	$(BIN)/python manage.py prepare

test: .venv/installed-for-development servers ## Run all tests, side by side (TESTS=tests/...: these, one after the other)
	$(BIN)/python -m tests.support.people
	$(BIN)/python -m pytest $(or $(TESTS),--numprocesses auto --dist loadgroup)

check: test lint types scripts page-modules ## All that CI runs

lint: .venv/installed-for-development ## Check style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed-for-development ## Check types
	$(BIN)/mypy

SHELL_SCRIPTS := .ci/run tests/install-servers
scripts: .venv/installed-for-development servers ## Check scripts and settings
	for script in $(SHELL_SCRIPTS); do bash -n $$script || exit 1; done
	! command -v shellcheck >/dev/null || shellcheck $(SHELL_SCRIPTS)
	for script in examples/*.py manage.py; do $(BIN)/python $$script --help >/dev/null || exit 1; done
	$(BIN)/python manage.py check

page-modules: servers node_modules/installed ## Check the pages' modules: their tests, types and style
	npm run --silent check

format: .venv/installed-for-development ## Put the style right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	! test -e node_modules/installed || npm run --silent format

translations: .venv/installed-for-development ## Collect new texts in locale/ and compile (needs gettext); then translate what is empty
	$(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-wrap --no-obsolete --ignore tests --ignore training --ignore node_modules
	$(BIN)/python manage.py makemessages --locale zh_Hans --domain djangojs --no-location --no-wrap --no-obsolete --ignore tests --ignore node_modules
	$(BIN)/python manage.py compilemessages --locale zh_Hans --ignore .venv

screenshots: .venv/installed-for-development servers ## Take the pictures of docs/screenshots/ anew
	$(BIN)/python -m tests.browser.screenshots

bench: .venv/installed-for-development ## Measure; figures go to benchmarks/results/
	$(BIN)/python -m benchmarks

MINUTES ?= 20
RUNS ?= 1
chaos: .venv/installed-for-development servers ## Break everything for MINUTES (20), RUNS times (1), and count what is lost
	$(BIN)/python -m benchmarks.chaos --minutes $(MINUTES) --runs $(RUNS)

gpu: .venv/installed-for-development ## On a machine with CUDA: how many streams it holds and what takes the time, in 8 minutes
	timeout 480 $(BIN)/python -m benchmarks.streams --device cuda --limit 240

soak: .venv/installed-for-development servers ## Hold meetings for two hours and watch the memory
	$(BIN)/python -m benchmarks.soak

scale-demo: .venv/installed servers ## Two web and two recognition processes, Redis and PostgreSQL here (CELLS=2: two Redis)
	CELLS=$(CELLS) $(BIN)/python -m deploy.scale_demo

train: .venv/installed-for-development ## Make the embedded models anew (hours; goes on where it was stopped)
	$(BIN)/python -m training all

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-package torch \
    --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
lock: .venv/installed-for-development ## Pin by hash all that requirements*.txt ask for (UPGRADE=1: the newest of it)
	$(LOCK) requirements.txt --output-file requirements.lock
	$(LOCK) requirements-dev.txt --constraint requirements.lock --output-file requirements-dev.lock \
	    $$(sed -nE '/win32/d; s/^([a-z0-9-]+)==.*/--no-emit-package \1/p' requirements.lock | sort -u)
	$(LOCK) requirements-pipecat.txt --output-file requirements-pipecat.lock \
	    $$(sed -nE '/win32/d; /^(protobuf|soundfile|soxr)==/d; s/^([a-z0-9-]+)==.*/--no-emit-package \1/p' requirements.lock requirements-dev.lock | sort -u)
	sed -i '/^# The following packages were excluded/,$$d' requirements*.lock

wheel: .venv/installed ## Build a package for pip, in dist/
	rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

sbom: .venv/installed-for-development ## Write what a release is made of, as CycloneDX, in dist/
	$(BIN)/python -m deploy.bill_of_materials

# The lock has all that is installed, by hashes: nothing is to be resolved, or asked for elsewhere.
audit: .venv/installed-for-development ## Look for known faults of the packages (asks the index of advisories)
	$(BIN)/pip-audit --disable-pip --require-hashes --strict -r requirements.lock

servers: ## Install what tests need besides Python, where that is possible
	@tests/install-servers

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# torch first and by its version: its builds for CPUs and CUDA share it, so no lock can hold their hashes. The rest is
# all in the lock: what is missing from it is missed by `pip check`.
PIP := $(BIN)/pip --quiet --disable-pip-version-check
.venv/installed: requirements.txt requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(shell grep '^torch==' requirements.txt)
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) check
	touch $@

.venv/installed-for-development: .venv/installed requirements-dev.lock requirements-pipecat.lock
	$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	$(PIP) check
	rm -rf .venv/pipecat
	$(PIP) install --no-deps --require-hashes --target .venv/pipecat -r requirements-pipecat.lock
	touch $@

# For checks alone: the pages are served as they are written.
node_modules/installed: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node.js with npm is missing, version 18.18 or later." >&2; exit 1; }
	npm ci --silent
	touch $@
