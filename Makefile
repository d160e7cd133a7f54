# `make demo` shows the main job on real sounds; `make test` runs the tests. Both make their own .venv first.

BIN := .venv/bin
SAMPLES := libportaudio2 sonic-pi-samples
PARTNERS := jackd2 chromium curl iproute2 supercollider-language supercollider-server gcc libc6-dev

.PHONY: demo test lint bench torture fuzz wheel clean

demo: .venv/.installed
	@sh .ci/system-packages $(SAMPLES)
	$(BIN)/mirla demo

test: .venv/.developing
	@sh .ci/system-packages $(SAMPLES) $(PARTNERS)
	$(BIN)/pytest -n 3 --dist loadfile

lint: .venv/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.developing
	@sh .ci/system-packages $(SAMPLES)
	$(BIN)/python benchmarks/analysis.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/harvest.py
	$(BIN)/python benchmarks/similarity.py
	$(BIN)/python benchmarks/text.py
	$(BIN)/python benchmarks/osc.py
	$(BIN)/python benchmarks/agents.py
	$(BIN)/python benchmarks/classifiers.py
	$(BIN)/python benchmarks/freesound.py
	$(BIN)/python benchmarks/check.py

# every figure of docs/reliability.md; the kills go on where they were stopped
torture: .venv/.developing
	@sh .ci/system-packages $(SAMPLES) $(PARTNERS)
	MIRLA_TORTURE=112 $(BIN)/pytest tests/torture
	MIRLA_TORTURE=200 $(BIN)/pytest tests/corpus/test_harvest_torture.py tests/engine/test_palette_torture.py
	MIRLA_TORTURE=200 $(BIN)/pytest tests/corpus/test_check_torture.py tests/corpus/test_together.py
	MIRLA_TORTURE=200 $(BIN)/pytest tests/corpus/test_pack_torture.py tests/corpus/test_pack_refused.py
	$(BIN)/pytest tests/corpus/test_schemas.py tests/corpus/test_backup.py
	$(BIN)/python benchmarks/check.py
	MIRLA_TORTURE=600 $(BIN)/pytest tests/engine/playback/test_everything.py

# all property tests, a hundred times as long; Ctrl-C ends it, and what was found is tried first the next time
fuzz: .venv/.developing
	@sh .ci/system-packages $(SAMPLES)
	MIRLA_FUZZ=$${MIRLA_FUZZ:-100} $(BIN)/pytest -m hypothesis

wheel: .venv/.developing
	rm -rf dist
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv dist

.venv/bin/python:
	sh .ci/make-venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.developing: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/.installed
