# make run      a bare checkout becomes a running service
# make test     everything, with a real Redis, PostgreSQL and browser where they can be installed
# make help     the rest

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

# `make run ASR_MODELS=paraformer-zh PORT=8080` reaches the program like environment variables do.
export ASR_MODELS ASR_DEVICE ASR_ARITHMETIC ASR_DATA_DIR ASR_ACCESS HOST PORT DEMO REDIS_URL DATABASE_URL ALLOWED_HOSTS

.PHONY: run prepare test chaos soak scale-demo lint types format translations screenshots bench train servers help

run: prepare ## Serve pages and sockets on http://127.0.0.1:8000/ with a sample meeting (DEMO=0: without)
	$(BIN)/python manage.py serve --demo

prepare: .venv/installed
	$(BIN)/python manage.py prepare

test: .venv/installed-for-development servers ## Run all tests
	$(BIN)/python -m pytest $(TESTS)

lint: .venv/installed-for-development ## Check style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed-for-development ## Check types
	$(BIN)/mypy

format: .venv/installed-for-development ## Put the style right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

translations: .venv/installed-for-development ## Collect new texts in locale/ and compile (needs gettext); then translate what is empty
	$(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-wrap --no-obsolete --ignore tests --ignore training
	$(BIN)/python manage.py makemessages --locale zh_Hans --domain djangojs --no-location --no-wrap --no-obsolete --ignore tests
	$(BIN)/python manage.py compilemessages --locale zh_Hans --ignore .venv

screenshots: .venv/installed-for-development servers ## Take the pictures of docs/screenshots/ anew
	$(BIN)/python -m tests.browser.screenshots

bench: .venv/installed-for-development ## Measure; figures go to benchmarks/results/
	$(BIN)/python -m benchmarks

MINUTES ?= 20
RUNS ?= 1
chaos: .venv/installed-for-development servers ## Break everything for MINUTES (20), RUNS times (1), and count what is lost
	$(BIN)/python -m benchmarks.chaos --minutes $(MINUTES) --runs $(RUNS)

soak: .venv/installed-for-development servers ## Hold meetings for two hours and watch the memory
	$(BIN)/python -m benchmarks.soak

scale-demo: .venv/installed servers ## Two web and two recognition processes, Redis and PostgreSQL on this machine
	$(BIN)/python -m deploy.scale_demo

train: .venv/installed-for-development ## Make the embedded models anew (hours; goes on where it was stopped)
	$(BIN)/python -m training all

servers: ## Install what tests need besides Python, where that is possible
	@tests/install-servers

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# torch first and alone: as a dependency of others it would come as the newest build.
.venv/installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(shell grep '^torch==' requirements.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-for-development: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
