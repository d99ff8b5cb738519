# insitu: `make demo` and `make test` work on a fresh clone with only Python 3.11.

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: setup setup-groundingdino demo demo-nerf demo-video test lint check bench docs clean

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

# the base: no torch
$(VENV)/.base: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock -e .
	touch $@

# what ns-train needs, several GB
$(VENV)/.nerf: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock -e '.[nerf]'
	touch $@ $(VENV)/.base

# what videos need, no torch
$(VENV)/.video: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock -e '.[video]'
	touch $@ $(VENV)/.base

$(VENV)/.dev: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock -e '.[dev]'
	touch $@ $(VENV)/.nerf $(VENV)/.video $(VENV)/.base

$(VENV)/.all: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock -e '.[all,dev]'
	touch $@ $(VENV)/.dev $(VENV)/.nerf $(VENV)/.video $(VENV)/.base

setup: $(VENV)/.all  ## everything: all extras (several GB) and the development tools

setup-groundingdino: $(VENV)/.all groundingdino-overrides.txt  ## the groundingdino-py package too, beside one OpenCV
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock setuptools wheel
	$(UV) pip install --quiet --python $(BIN)/python -c requirements.lock \
		--override groundingdino-overrides.txt --no-build-isolation-package groundingdino-py \
		-e '.[all,dev,groundingdino]'
	test "$$($(UV) pip list --python $(BIN)/python 2>/dev/null | grep -ci '^opencv')" = 1

demo: $(VENV)/.base  ## a real photo edited, from nothing
	@$(BIN)/insitu demo -o demo_output

demo-nerf: $(VENV)/.nerf  ## a scene reconstructed and edited on the CPU, from nothing
	@$(BIN)/insitu demo --nerf -o demo_output/nerf

demo-video: $(VENV)/.video  ## a clip edited on the CPU, from nothing
	@$(BIN)/insitu demo --video -o demo_output/video

test: $(VENV)/.dev  ## the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## what CI runs

bench: $(VENV)/.dev  ## the benchmarks; results go to benchmarks/results
	$(BIN)/python -m benchmarks.instructions
	$(BIN)/python -m benchmarks.photo_grounding
	$(BIN)/python -m benchmarks.photo
	$(BIN)/python -m benchmarks.editors
	$(BIN)/python -m benchmarks.nerf
	$(BIN)/python -m benchmarks.video

docs: $(VENV)/.dev  ## run the commands and examples of README and docs
	$(BIN)/python -m pytest tests/integration/test_docs.py

clean:
	rm -rf $(VENV) demo_output .mypy_cache .ruff_cache .pytest_cache .hypothesis
