# The commands of the project; `make` alone lists them. GNU make and a POSIX shell suffice.
# Python packages go to .venv, at the versions and hashes of the two lock files.

VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check -qq --require-hashes --no-deps
UV := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command 'make lock'
UPGRADED = $(if $(UPGRADE),--upgrade)
EXTRAS := --extra postgresql --extra redis

# Taken from the command line alone: a shell may have a HOST of another meaning, as conda's has.
HOST := 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
THREADS ?= 4
SIZE ?= 1000000
# Processes that run the tests; each has databases and servers of its own.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 1); echo $$((n < 4 ? n : 4)))
export HOST PORT WORKERS THREADS

.DEFAULT_GOAL := help
.PHONY: help serve test slow bench pages chaos clients image attack lint check fuzz queries paging imports refusals unsaid sequences mirrors format docs lock clean
MAKEFLAGS += --no-builtin-rules --no-print-directory

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r command does; do printf '%-16s  %s\n' "$$command" "$$does"; done

# The server shares a port with another one without a word, so a taken port is refused first.
serve: $(VENV)/.runtime ## set up what is missing, then serve (PORT=, HOST=, WORKERS=, THREADS=, DATABASE_URL=)
	@$(PY) -c "$$REFUSE_TAKEN_PORT"
	@trap : INT; $(PY) -m flask --app api setup --serve

test: $(VENV)/.tools ## run the tests, on each database that can be had (JOBS=, ARGS= for pytest)
	@$(PY) -m pytest -n $(JOBS) -m 'not slow' $(ARGS)

slow: $(VENV)/.tools ## run the tests that take long, which `make test` leaves out (JOBS=, ARGS=)
	@$(PY) -m pytest -n $(JOBS) -m slow $(ARGS)

lint: $(VENV)/.tools ## linter, formatter's check and types: what a commit has to pass
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

check: lint ## all of that, and the tests with their coverage
	@$(PY) -m pytest -n $(JOBS) --cov --cov-report=term:skip-covered $(ARGS)

# The test makes a server of its own; what it finds is told with a line of curl.
fuzz: $(VENV)/.tools ## test the API against its own description at length (EXAMPLES=, SEED=, SECONDS=)
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),200) FUZZ_SEED=$(SEED) FUZZ_SECONDS=$(SECONDS) $(PY) -m pytest -s tests/test_contract.py tests/test_fuzz.py $(ARGS)

queries: $(VENV)/.tools ## compare answers with a plain filter for many queries (EXAMPLES=, SEED=)
	@QUERY_EXAMPLES=$(or $(EXAMPLES),500) QUERY_SEED=$(or $(SEED),1) $(PY) -m pytest tests/test_query_property.py $(ARGS)

paging: $(VENV)/.tools ## page through 100,000 records while others write (RECORDS=)
	@PAGING_RECORDS=$(or $(RECORDS),100000) $(PY) -m pytest tests/test_paging.py $(ARGS)

imports: $(VENV)/.tools ## test imports with 100,000 lines instead of a few thousand (LINES=)
	@IMPORT_LINES=$(or $(LINES),100000) $(PY) -m pytest tests/test_imports.py $(ARGS)

refusals: $(VENV)/.tools ## refuse faulty bodies of 5,000 lines while eight write (LINES=)
	@REFUSED_LINES=$(or $(LINES),5000) $(PY) -m pytest -s tests/test_large_refusals.py $(ARGS)

unsaid: $(VENV)/.tools ## hold that what is stored was given, follows by a rule or is told (EXAMPLES=)
	@UNSAID_EXAMPLES=$(or $(EXAMPLES),1000) $(PY) -m pytest tests/test_nothing_unsaid.py $(ARGS)

sequences: $(VENV)/.tools ## try random sequences of curators' writes at length (SEQUENCES=, SHRINK=1)
	@SEQUENCES=$(or $(SEQUENCES),300) $(PY) -m pytest tests/test_curation_stateful.py $(ARGS)

mirrors: $(VENV)/.tools ## keep copies in step while eight write, for a minute (SECONDS=)
	@FEED_SECONDS=$(or $(SECONDS),60) $(PY) -m pytest tests/test_feed.py -k eight_writers $(ARGS)

docs: $(VENV)/.tools ## write docs/reference.md and the examples of the API's description anew
	@$(PY) -m flask --app api docs
	@RECORD_EXAMPLES=1 $(PY) -m pytest -q tests/test_examples.py

bench: $(VENV)/.tools benchmarks/.venv/.made ## measure against the limit and the peers, on both engines (SIZE=, ARGS=)
	@$(PY) -m benchmarks.run --size $(SIZE) $(ARGS)

pages: $(VENV)/.tools ## measure the pages in a real browser (SIZE=, ARGS=--lighthouse)
	@$(PY) -m benchmarks.pages --size $(SIZE) $(ARGS)

chaos: $(VENV)/.tools chaos/.venv/.made ## kill, freeze, fill and slow down what the service stands on: nothing may be lost (ONLY=)
	@ONLY=$(ONLY) $(PY) -m chaos

attack: $(VENV)/.tools ## play one bad client against a server, with others beside it (ONLY=, ENGINE=, SECONDS=)
	@ONLY=$(ONLY) ENGINE=$(ENGINE) SECONDS=$(SECONDS) $(PY) -m attacks

clients: $(VENV)/.tools clients/.venv/.made clients/node_modules/.made ## generate clients from the API's description, compile and run them (Node.js is needed)
	@$(PY) -m clients

clients/node_modules/.made: clients/package-lock.json
	@cd clients && npm ci --silent
	@touch $@

# What only one command needs is in an environment of its own.
%/.venv/.made: %/requirements.txt $(VENV)/.made
	@$(PY) -m venv $(@D)
	@$(@D)/bin/python -m pip install --disable-pip-version-check -qq -r $<
	@touch $@

image: $(VENV)/.tools ## follow the steps of deploy/Dockerfile without Docker, and ask what they make for its records
	@IMAGE=1 $(PY) -m pytest tests/test_image.py $(ARGS)

format: $(VENV)/.tools ## rewrite the code as the linter and the formatter want it
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

lock: $(VENV)/.made ## write the lock files anew from setup.cfg (UPGRADE=1 takes newer versions)
	@$(PY) -m pip install --disable-pip-version-check -qq uv
	@$(UV) $(UPGRADED) setup.cfg $(EXTRAS) --output-file requirements.txt
	@$(UV) $(UPGRADED) setup.cfg $(EXTRAS) --extra test --extra check \
		--constraint requirements.txt --output-file requirements-dev.txt
	@$(UV) $(UPGRADED) clients/requirements.in --output-file clients/requirements.txt

clean: ## remove .venv and what tools left behind; the database in instance/ stays
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose interpreter has gone is made anew, with all that was in it.
ifneq ($(shell $(PY) -c 'import pip' 2>&1 || echo broken),)
.PHONY: $(VENV)/.made
endif

# A stamp is written last: an interrupted install is taken up again.
$(VENV)/.made:
	@python=; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python=$$candidate; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or later is needed; $(if $(PYTHON),$(PYTHON) is not,none was found as python3 or python3.11 to python3.14)." >&2; \
		echo "Install it, or name the one to use: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	version=$$("$$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: its modules venv and ensurepip are missing." >&2; \
		echo "On Debian and Ubuntu they are a package of their own: sudo apt-get install $$version-venv" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$version ..."; \
	"$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.txt
	@echo "Installing what the service needs into $(VENV) (about a minute, this once) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.tools: $(VENV)/.made requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) (a few minutes, this once) ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.runtime $@

define REFUSE_TAKEN_PORT
import os, socket, sys
host, port = os.environ["HOST"], os.environ["PORT"]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
try:
    socket.create_server((host, int(port)), family=family).close()
except (OSError, OverflowError, ValueError) as error:
    sys.exit(f"Cannot serve on {host}, port {port} ({error}).\nFor another port: make serve PORT=8001")
endef
export REFUSE_TAKEN_PORT
