# Words to remember: setup, run, test, soak, fix, snap, docs, bench, audit.
# ARGS passes through: make run ARGS="--demo", make test ARGS="-k resume".

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup run test soak lint fix snap docs bench audit lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "codex needs Python 3.11 or newer; try: make setup PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q app_server tui
	@touch $(STAMP)

run: $(STAMP)
	@$(BIN)/codex $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint
	$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

soak: $(STAMP)
	SOAK=1 $(BIN)/pytest -m soak --timeout 3600 $(ARGS)

fix: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snap: $(STAMP)
	$(BIN)/pytest tests/tui --snapshot-update $(ARGS)

docs: $(STAMP)
	$(BIN)/python -m app_server.config.page
	$(BIN)/python -m app_server.server.protocol_page

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

audit: $(STAMP)
	$(BIN)/pip-audit --requirement requirements.lock --disable-pip

lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --all-extras --generate-hashes --universal pyproject.toml --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist
