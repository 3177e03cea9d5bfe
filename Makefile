# Every target needs nothing done before it. `make demo` first, `make test` second; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 3
HUB ?=
DIR ?=
RUNS ?=
KILLS ?= 5

.PHONY: help install dev assets demo sandbox test check bench load fault fuzz crash long mutate format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/bin/python:
	@bash deploy/local/need.sh venv $(PYTHON)
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing the pinned packages into .venv ..."
	@$(BIN)/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements-build.lock
	@$(BIN)/python -m pip --disable-pip-version-check install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "Installing the pinned development tools into .venv ..."
	@$(BIN)/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements-dev.lock
	@touch $@

install: .venv/.runtime ## make .venv with the programs mash and mash-hub in it

dev: .venv/.dev assets

WEB := deploy/web
assets: build/web/.done ## fetch GOV.UK Frontend (the operations page) and axe-core (its tests) with npm

build/web/.done: $(WEB)/package.json $(WEB)/package-lock.json $(WEB)/assets.py
	@bash deploy/local/need.sh npm
	@mkdir -p build/web && cp $(WEB)/package.json $(WEB)/package-lock.json build/web/
	@echo "Fetching the pinned style, script and accessibility checker with npm ..."
	@npm --prefix build/web ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(PYTHON) $(WEB)/assets.py build/web/node_modules broker/page/static/govuk
	@touch $@

demo: .venv/.runtime ## run the Ashgrove-Test enquiry end to end (HUB=amqp://... or HUB=local for RabbitMQ)
	@$(if $(filter local,$(HUB)),bash deploy/local/need.sh rabbitmq)
	@$(BIN)/python -m deploy.demo $(if $(HUB),--hub $(HUB))

sandbox: .venv/.runtime ## make nine adapters in the folder DIR, to try the command line on
	@test -n "$(DIR)" || { echo "name a new folder: make sandbox DIR=/tmp/area" >&2; exit 2; }
	@$(BIN)/python -m deploy.demo.sandbox $(DIR)

test: .venv/.dev assets ## run every test, the killings in their short form, with a real RabbitMQ, PostgreSQL and Chromium
	@bash deploy/local/need.sh servers
	@bash deploy/local/need.sh chromium
	@MASH_CRASH_KILLS=$(KILLS) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: .venv/.dev ## ruff, mypy strict, the import contracts, the dependency list, the structure tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/python -m pytest tests/structure

bench: .venv/.dev ## measure sealing, rules, hub, timers and the whole product, each beside a named alternative in the same run
	@bash deploy/local/need.sh rabbitmq
	@for bench in envelope disclosure hub timers product; do echo "== $$bench"; $(BIN)/python -m tests.bench.bench_$$bench || exit 1; done

load: .venv/.dev ## fifty requests a second for two minutes through the whole product, every program a process of its own
	@bash deploy/local/need.sh servers
	@$(BIN)/python -m tests.bench.load

fault: .venv/.dev ## cut a three-node RabbitMQ apart in network namespaces and count every message (as root)
	@bash deploy/local/need.sh rabbitmq
	@$(BIN)/python -m deploy.fault

fuzz: .venv/.dev ## two million runs for each reader of bytes from outside (RUNS=n for another number)
	@for reader in envelope stub core receipt directory; do $(BIN)/python -m tests.fuzz.fuzz_$$reader $(if $(RUNS),-runs=$(RUNS)) || exit 1; done

crash: .venv/.dev ## kill a real adapter at every point of the delivery design, on both stores (KILLS=30: the long form)
	@bash deploy/local/need.sh servers
	@MASH_CRASH_KILLS=$(KILLS) $(BIN)/python -m pytest tests/crash --timeout 0 -n $(WORKERS) --dist loadgroup

long: .venv/.dev ## the property tests with 10,000 examples each
	@MASH_EXAMPLES=10000 MASH_DELIVERY_RUNS=10000 $(BIN)/python -m pytest tests/properties --timeout 0 -n $(WORKERS)

mutate: .venv/.dev ## put small faults into what seals, keeps keys and discloses, and count which the tests notice
	@$(BIN)/python -m tests.mutation.plan
	@$(BIN)/python -m tests.mutation.rules

format: .venv/.dev ## let ruff format and sort
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

LOCK := $(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q
lock: .venv/.dev ## renew the pinned locks from pyproject.toml
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	@echo 'setuptools==84.2.1' | $(LOCK) - -o requirements-build.lock

clean: ## remove what the targets made
	@rm -rf .venv build broker/page/static/govuk *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
