# On a fresh machine only Python 3.11 and make are needed; everything else is installed into .venv from the hash-pinned locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip only fetches uv, by its hash. uv then installs what the locks say and looks at nothing that came out since:
# no dependency is resolved again, each file is checked by its hash, and what would be missing is told by `uv pip check`.
UV := $(BIN)/uv
INSTALL := VIRTUAL_ENV=$(CURDIR)/$(VENV) UV_LINK_MODE=copy $(UV) pip install -q --no-config
FROM_LOCK := $(INSTALL) --require-hashes --no-deps
ARGS ?=
# Some machines have Python keep no bytecode: every process of the tests would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo sandbox docs test check bench soak fuzz mutants locks locks-check clean

$(UV): requirements-installer.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Rayline into $(VENV) (once) ..." >&2
	@$(BIN)/python -m pip --disable-pip-version-check install -q --require-hashes --no-deps -r $< >&2
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml $(UV)
	@$(FROM_LOCK) -r $< >&2
	@$(INSTALL) --no-deps --no-build-isolation -e . >&2
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(FROM_LOCK) -r $< >&2
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip check -q >&2
	@touch $@

# The main job on an embedded sandbox; ARGS="--once --json" for one checked pass.
demo: $(VENV)/.installed
	@exec $(BIN)/rayline demo $(ARGS)

sandbox: $(VENV)/.installed
	@exec $(BIN)/rayline sandbox $(ARGS)

# Everything: style, types, layers, then all tests; branch coverage of the pure layers by the tests that state their
# claims, since tracing whole cycles too would double their time. Whole cycles wait for sockets: one more process helps.
PURE := $(addprefix tests/,domain method mapping adoption plan pages charts jira write)
PYTEST := $(BIN)/python -m pytest --dist loadfile $(ARGS)

test: check
	$(PYTEST) -n 2 --cov --cov-report= $(PURE)
	$(BIN)/coverage report --skip-covered --include='worker/domain/*,worker/codecs/*,worker/mapping/*,worker/world/*,worker/plan/*,worker/method/*' --fail-under=95
	$(PYTEST) -n 3 tests $(PURE:%=--ignore=%)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check worker rayline_sandbox rayline_demo tests benchmarks
	$(BIN)/ruff check worker rayline_sandbox rayline_demo tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The pages of docs/ as a site, with search, that a browser opens as it lies there; a link that leads nowhere ends it.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build $(ARGS)
	@echo "docs/_build/index.html"

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

# Simulated worlds with people, faults, crashes and pauses: SEEDS=10000 FIRST_SEED=0; a failing seed tells how it is replayed.
SEEDS ?= 200
FIRST_SEED ?= 0
soak: $(VENV)/.installed-dev
	@nice $(BIN)/python -m tests.soak --seeds $(SEEDS) --first-seed $(FIRST_SEED) $(ARGS)

# Tests that draw their inputs, on inputs nobody has tried: ARGS="tests/mapping"
fuzz: $(VENV)/.installed-dev
	@nice $(PYTEST) -n 2 --hypothesis-profile=new_inputs

# Which small changes of the pure layers no test notices: ARGS="worker/method -n 40 --seed 1"
mutants: $(VENV)/.installed-dev
	@nice $(BIN)/python -m tests.mutants $(ARGS)

# One lock for Python 3.11 to 3.14 on Linux, macOS and Windows; what is pinned already stays unless UPGRADE=--upgrade.
LOCK := $(UV) pip compile -q --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(UPGRADE)

locks: $(UV)
	echo uv | $(LOCK) - -o requirements-installer.lock
	$(LOCK) pyproject.toml --extra build -o requirements.lock
	$(LOCK) pyproject.toml --extra build --extra fleet --extra alerts -o requirements-fleet.lock
	$(LOCK) pyproject.toml --extra build --extra dev -o requirements-dev.lock
	@$(MAKE) --no-print-directory locks-check

# Asks the registry whether every machine would find a file for each line; installs nothing. (What needs no registry is
# tested: tests/setup.)
PLATFORMS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin x86_64-pc-windows-msvc
PYTHONS := 3.11 3.12 3.13 3.14
WOULD := $(FROM_LOCK) --dry-run --only-binary :all: --target $(VENV)/nothing

locks-check: $(UV)
	@for lock in requirements-installer.lock requirements.lock requirements-fleet.lock requirements-dev.lock; do \
	  for platform in $(PLATFORMS); do \
	    for python in $(PYTHONS); do \
	      $(WOULD) --python-platform $$platform --python-version $$python -r $$lock || \
	        { echo "$$lock cannot be installed on $$platform with Python $$python" >&2; exit 1; }; \
	    done; \
	    echo "$$lock: $$platform: Python $(PYTHONS)"; \
	  done; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov dist
