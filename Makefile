# Two commands do everything: `make demo` opens the demo, `make test` runs the tests.
# Both first create .venv and install the locked dependencies (once, and again when a lock file changes).
SHELL := /bin/bash
PY := .venv/bin/python

.PHONY: demo studio test test-all faults check lock shots tree bench clean

demo: .venv/.ready-run
	@$(PY) -m studio demo $(ARGS)

studio: .venv/.ready-run
	@$(PY) -m studio $(ARGS)

test: .venv/.ready-dev
	@$(PY) -m pytest -q -n 2 --dist worksteal -m "not slow" $(ARGS)

test-all: .venv/.ready-dev
	@$(PY) -m pytest -q -n 2 --dist worksteal --hypothesis-profile=search $(ARGS)

# Kills the program again and again; `make faults N=10000 STATE=build/faults.json` goes on where it was stopped.
faults: .venv/.ready-dev
	@$(PY) -m tests.faults.long_run $(or $(N),500) $(if $(STATE),--state $(STATE)) $(ARGS)

check: .venv/.ready-dev
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/lint-imports

shots: .venv/.ready-dev
	@QT_QPA_PLATFORM=offscreen $(PY) -m tools.contact_sheet $(ARGS)

# What a screen reader is told of the canvas (Linux with Xvfb, dbus-daemon and at-spi2-core).
tree: .venv/.ready-dev
	@$(PY) -m tools.accessible_tree docs/accessible-tree.txt

bench: .venv/.ready-dev
	@$(PY) -m studio bench $(ARGS)

.venv/.ready-run: requirements.lock packaging/setup.sh
	@bash packaging/setup.sh requirements.lock $@

.venv/.ready-dev: requirements-dev.lock packaging/setup.sh
	@bash packaging/setup.sh requirements-dev.lock $@

# Locks name versions and hashes, no host; any index that serves the same files will do.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra desktop --extra pdf --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra desktop --extra pdf --group build --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache
