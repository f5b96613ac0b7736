# Two commands matter: `make build` and `make test`. Both set up the environment when needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export DO_NOT_TRACK := true
# tests run side by side: threads inside matrix products would only fight for the cores
export OPENBLAS_NUM_THREADS := 1

.PHONY: build test test-all lint reference lock clean

build: $(VENV)/installed
	$(BIN)/benchmart build

test: $(VENV)/installed
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not slow"

test-all: $(VENV)/installed
	$(BIN)/pytest --numprocesses 2 --dist worksteal

lint: $(VENV)/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

# Writes the pages of docs/ that are made of what the code and a build say of themselves.
reference: build
	$(BIN)/python -m pipelines.reference docs

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --requirements requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q models_py pipelines
	touch $@

# Resolves pyproject.toml anew for every supported Python; run after changing a dependency.
lock: $(VENV)/installed
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--group dev --python-version 3.11 requirements.in pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) warehouse dbt_project/target dbt_project/logs
