# On a fresh machine only Python 3.11 and make are needed; everything else is installed into .venv from the hash-pinned locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
ARGS ?=

.PHONY: demo sandbox test check bench locks clean

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Rayline into $(VENV) (once) ..." >&2
	@$(PIP) --require-hashes -r requirements.lock >&2
	@$(PIP) --no-deps --no-build-isolation -e . >&2
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(PIP) --require-hashes -r requirements-dev.lock >&2
	@touch $@

# The main job on an embedded sandbox; ARGS="--once --json" for one checked pass.
demo: $(VENV)/.installed
	@exec $(BIN)/rayline demo $(ARGS)

sandbox: $(VENV)/.installed
	@exec $(BIN)/rayline sandbox $(ARGS)

# Everything: style, types, layers, then all tests; branch coverage of the pure layers by the tests that state their
# claims, since tracing whole cycles too would double their time. Whole cycles wait for sockets: one more process helps.
PURE := $(addprefix tests/,rules mapping sync pages charts jira apply)
PYTEST := $(BIN)/python -m pytest --dist loadfile $(ARGS)

test: check
	$(PYTEST) -n 2 --cov --cov-report= $(PURE)
	$(BIN)/coverage report --skip-covered --include='worker/domain/*,worker/mapping/*,worker/sync/*,worker/rules/*' --fail-under=95
	$(PYTEST) -n 3 tests $(PURE:%=--ignore=%)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check worker tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

locks: $(VENV)/.installed
	$(PIP) uv
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra build -o requirements.lock
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra build --extra dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov dist
