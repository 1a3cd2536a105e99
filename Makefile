# Two commands do everything on a fresh machine with Python 3.11 or later: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# In the environment whose state they are: they go when it goes.
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp
# What the shipped styles are made from, and clips; they are not part of the repository.
PAINTINGS ?= ../shared/data
# Of each fuzz target.
CASES ?= 3000

# VGG-19's weights, for the style distances of the benchmark; not part of the repository either.
VGG ?= vgg19.safetensors

.PHONY: demo test test-all check fidelity fuzz int8 styles ablation bench bench-realtime wheel clean
.DELETE_ON_ERROR:

demo: $(RUN)
	$(BIN)/python scripts/demo.py demo

test: $(DEV) check
	$(BIN)/python -m pytest -q -m "not slow and not gpu"

# The slow tests come on top: `make test test-all` runs nothing twice.
test-all: test
	$(BIN)/python -m pytest -q -m "slow and not gpu"

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Writes docs/fidelity.md from what the tests find.
fidelity: $(DEV)
	$(BIN)/python -m pytest -q tests/fidelity --write-fidelity

# Bounded: some minutes. More with `make fuzz CASES=100000`.
fuzz: $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[fuzz]"
	$(BIN)/python tests/fuzz/checkpoint_header.py -runs=$(CASES)
	$(BIN)/python tests/fuzz/input_path.py -runs=$(CASES)

# The student in 8 bits, its bounds measured on clips in as many styles.
int8: $(RUN)
	$(BIN)/vstyle quantize student \
	  --calibrate "$(PAINTINGS)/video" --styles "$(PAINTINGS)/named" \
	  -o vstyle/weights/student-int8.safetensors --overwrite

# All that has to be made again when the student has changed. What is missing is said before.
styles: $(RUN)
	$(BIN)/python scripts/make_styles.py --paintings "$(PAINTINGS)" --check
	$(MAKE) int8
	$(BIN)/python scripts/make_styles.py --paintings "$(PAINTINGS)"

# CONTENT, STYLES: folders of photos and paintings; VGG: a file; STEPS: of training, per model.
STEPS ?= 150
ablation: $(RUN)
	$(if $(and $(CONTENT),$(STYLES)),,$(error name both: make ablation CONTENT=photos STYLES=art))
	$(BIN)/python scripts/ablation.py --content "$(CONTENT)" --styles "$(STYLES)" --vgg "$(VGG)" \
		--steps $(STEPS) --from student

# Measures this machine for the README; it should be doing nothing else.
bench: $(RUN)
	$(BIN)/vstyle bench --speed --quality --vgg "$(VGG)" --device cpu --size 640x360,1280x720 \
	  --model student-int8 --model student \
	  --json > docs/benchmarks/cpu.json.part
	mv docs/benchmarks/cpu.json.part docs/benchmarks/cpu.json
	$(BIN)/python scripts/bench_table.py

# The bars of real time against this machine. CLIP: a clip in place of the rendered one; INT8: a model
# in place of the one that ships.
bench-realtime: $(RUN)
	$(BIN)/python scripts/bench_realtime.py $(if $(CLIP),--clip "$(CLIP)") $(if $(INT8),--int8 "$(INT8)")

wheel: $(DEV)
	$(BIN)/python -m build --wheel

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(RUN): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist demo
