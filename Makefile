# Thin targets over the `lokikit` command and pytest; `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOKIKIT := $(BIN)/lokikit
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Installs the packages of the tests with a tenth of pip's work; pip does it where uv cannot: it
# knows neither pip.conf nor the other variables of pip.
UV := $(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX=$(PIP_INDEX_URL)) $(BIN)/uv pip install --quiet --python $(BIN)/python $(if $(PIP_NO_INDEX),--no-index $(addprefix --find-links ,$(PIP_FIND_LINKS)))
PACKAGE := --editable 'pylib[push,cli,page,demo]'
LOCKED := --require-hashes --requirement tests/requirements.lock
IS_NEW := import sys; sys.exit("Python %d.%d is too old" % sys.version_info[:2] if sys.version_info < (3, 10) else 0)
# Prints what pip prints; behind "pip failed" the fix for it.
EXPLAIN := awk 'BEGIN { proxy = ENVIRON["HTTPS_PROXY"] ENVIRON["https_proxy"] ENVIRON["HTTP_PROXY"] ENVIRON["http_proxy"] } \
	/^pip failed$$/ { failed = 1; next } { print; fflush() } \
	/CERTIFICATE_VERIFY_FAILED|CA certificate bundle/ { fix = "it does not trust the certificate of the index: PIP_CERT=/path/ca.pem names the authority of your company" } \
	/ProxyError/ || (proxy && /NewConnectionError/) { fix = "the proxy in HTTPS_PROXY or HTTP_PROXY does not let it through: name another, or unset them" } \
	/No space left/ { fix = "the disk is full: make room" } \
	END { if (failed) { print "lokikit: pip could not install it: " (fix ? fix : "see above; without the network PIP_INDEX_URL names a mirror, HTTPS_PROXY a proxy, PIP_FIND_LINKS with PIP_NO_INDEX=1 a folder of wheels"); exit 3 } }'

# Images set it; thousands of Pythons that the tests start would each compile what they import.
unexport PYTHONDONTWRITEBYTECODE

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
	@$(BIN)/python -m pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder tests/page tests/chart tests/compose tests/store tests/integration tests/stack tests/agent tests/projects tests/grafana tests/unit

soak: $(VENV)/test ## run the long chaos tests
	@$(BIN)/python -m pytest tests -m soak

lint: $(VENV)/test ## lint and type-check
	@$(MAKE) --no-print-directory --keep-going --jobs 2 lint-audit lint-types lint-style

.PHONY: lint-style lint-types lint-audit

lint-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

lint-types:
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.11 --package grafana.generator --package docs.generator
	@$(BIN)/mypy docs/hooks.py deploy/chart/generate.py pylib/hatch_build.py deploy/demo/*.py

lint-audit:
	@$(BIN)/python -m tests.tools.audit build/sbom.json

bench: $(VENV)/test ## measure, side by side with the peers
	@$(BIN)/python -m tests.benchmarks

grafana: $(VENV)/test ## write the dashboards and alert rules again, after a change of them
	@$(BIN)/python -m grafana.generator

package: $(VENV)/test ## write the Helm chart as one file into build/
	@$(BIN)/python -m tests.tools.package_chart build

docs: $(VENV)/test ## write the pages of docs/ as a site into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open build/site/index.html."

clean: $(VENV)/run ## stop everything and remove the stack's data
	@$(LOKIKIT) down --volumes

$(VENV)/python:
	@$(BIN)/python -c 'import pip; $(IS_NEW)' 2>/dev/null || { $(PYTHON) -c '$(IS_NEW)' && $(PYTHON) -m venv --clear $(VENV); } || \
		{ echo "lokikit: no environment in $(VENV), for the reason above: install Python 3.10 or newer with its venv module (Debian: python3-venv) or name one (make PYTHON=python3.12), in a checkout that can be written to, on a disk with room"; exit 3; }
	@touch $@

$(VENV)/run: $(VENV)/python pylib/pyproject.toml
	@echo "Installing lokikit into $(VENV): once, takes a minute."
	@{ $(PIP) $(PACKAGE) 2>&1 || echo "pip failed"; } | $(EXPLAIN)
	@touch $@

$(VENV)/test: $(VENV)/python pylib/pyproject.toml tests/installer.lock tests/requirements.lock
	@echo "Installing lokikit and what the tests need into $(VENV)."
	@{ $(PIP) --require-hashes --requirement tests/installer.lock && $(UV) $(LOCKED) && $(UV) $(PACKAGE); } 2>/dev/null || \
		{ { $(PIP) --no-compile $(LOCKED) && $(PIP) $(PACKAGE); } 2>&1 || echo "pip failed"; } | $(EXPLAIN)
	@touch $(VENV)/run $@
