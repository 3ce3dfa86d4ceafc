# Thin targets over the `lokikit` command and pytest; `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOKIKIT := $(BIN)/lokikit

.PHONY: help up down status logs check test soak lint bench grafana package docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/run ## start Loki, the agent and the demo; print where they are
	@$(LOKIKIT) up

down: $(VENV)/run ## stop all of it, keep the data
	@$(LOKIKIT) down

status: $(VENV)/run ## show what runs
	@$(LOKIKIT) status

logs: $(VENV)/run ## follow the demo's lines as Loki has them
	@$(LOKIKIT) tail '{service_name=~".+"}' || [ $$? -eq 130 ]

check: $(VENV)/run ## send a marked line through every way in and read it back
	@$(LOKIKIT) check

test: $(VENV)/test ## run every test that this machine allows
	@$(BIN)/python -m tests.tools.programs helm kube
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder tests/compose tests/chart tests/stack tests/agent tests/integration tests/projects tests/grafana tests/page tests/store tests/unit

soak: $(VENV)/test ## run the long chaos tests
	@$(BIN)/python -m pytest tests -m soak

lint: $(VENV)/test ## lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.11 --package grafana.generator
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.tools.audit build/sbom.json

bench: $(VENV)/test ## measure, side by side with the peers
	@$(BIN)/python -m tests.benchmarks

grafana: $(VENV)/test ## write the dashboards and alert rules again, after a change of them
	@$(BIN)/python -m grafana.generator

package: $(VENV)/test ## write the Helm chart as one file into build/
	@$(BIN)/python -m tests.tools.package_chart build

docs: $(VENV)/test ## write the pages of docs/ as a site into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open build/site/index.html."

clean: $(VENV)/run ## stop everything and remove the stack's data
	@$(LOKIKIT) down --volumes

$(VENV)/run: pylib/pyproject.toml
	@echo "Installing lokikit into $(VENV): once, takes a minute."
	@$(PYTHON) -m venv $(VENV) || { echo "no Python venv: install Python 3.10 or newer with its venv module (Debian: python3-venv)"; exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable 'pylib[push,cli,page,demo]'
	@touch $@

$(VENV)/test: $(VENV)/run tests/requirements.txt
	@echo "Installing what the tests need into $(VENV)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@
