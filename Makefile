# The two commands of the README: `make demo` and `make test`. Each sets up all it needs from a bare Python 3.11.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.complete

.PHONY: demo test lint format lock docs clean

demo: $(SETUP)
	$(BIN)/etl demo --out demo

test: $(SETUP) lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(SETUP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 warehouse expectations

format: $(SETUP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(SETUP)
	$(BIN)/python -m docs.generate

# Refreshes every pin; review the diff before committing it.
lock: $(SETUP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra dev --no-annotate --no-header --output-file requirements.lock pyproject.toml

# Hash-pinned dependencies first, then this project without resolving anything again.
$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv demo build
