# Needs make and Python 3.11, 3.12 or 3.13; everything else is fetched into .venv/ by the first target that wants it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin

# Nothing is reported to anybody.
export GX_ANALYTICS_ENABLED := false
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := false

LOCKS := requirements.txt requirements-dev.txt requirements-setup.txt

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: .venv/.ready ## Make .venv/ with .venv/bin/exchange (PYTHON=... chooses the interpreter)

.venv/.ready: $(LOCKS) pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh
	@touch $@

.PHONY: demo
demo: setup ## Start the stack, act as a partner, show each file's way to its answer (EXIT=1: end by itself)
	@$(BIN)/exchange demo $(if $(filter-out 0 no false,$(EXIT)),--exit)

.PHONY: test
test: setup ## Run the whole suite: side by side what can be, then the whole stack
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not slow"
	$(BIN)/python -m pytest -m "e2e or slow"

.PHONY: test-fast
test-fast: setup ## Run in under a minute what needs no server
	$(BIN)/python -m pytest -n 2 -m "not service and not e2e and not slow" --hypothesis-profile=quick --durations=0 --durations-min=2

.PHONY: lint
lint: setup ## Check style, format, types, layers and spelling; change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

.PHONY: format
format: setup ## Bring the code into form and mend what can be mended by itself
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: bench
bench: setup ## Measure speed and memory beside COPY and a plain pandas script
	@$(BIN)/exchange bench

.PHONY: docs
docs: setup ## Write anew what is generated: docs/tenants.md, docs/status-types.md, docs/tenant.schema.json, docs/findings.md, docs/reports.md, the tests in docs/requirements.md
	$(BIN)/python -m partner_exchange.tenants.docs
	$(BIN)/python -m partner_exchange.validation.docs
	$(BIN)/python -m partner_exchange.exports.reports.docs
	$(BIN)/python tests/support/trace.py

.PHONY: up
up: setup ## Start the stack in the background
	@$(BIN)/exchange up --detach

.PHONY: down
down: setup ## Stop the stack
	@$(BIN)/exchange down

.PHONY: requirements
requirements: setup ## Lock the newest packages that pyproject.toml allows, with their hashes
	scripts/lock.sh --upgrade

.PHONY: clean
clean: ## Stop the stack, then remove .venv/ and caches; .exchange/ (its data) stays
	@if [ -x $(BIN)/exchange ]; then $(BIN)/exchange down || true; fi
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find include dags plugins tests -name __pycache__ -type d -prune -exec rm -rf {} +
