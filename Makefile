# Everything people and CI call. `make help` lists it.

PYTHON ?= python3
PORT ?= 9092
VENV := .venv
BIN := $(VENV)/bin
CORE := $(wildcard sigfw/_core/*.pyx sigfw/_core/*.pxd sigfw/_core/*.h) setup.py

.DEFAULT_GOAL := help
.PHONY: help build build-test demo test test-asan fuzz lint bench bench-short broker pgo lock search clean system system-test bench-charts gate profile bench-peers

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: build  ## judge the bundled corpus with the production pipeline; ends with a table (under 3 minutes)
	$(BIN)/sigfw run --config configs/demo.yaml

test: build-test lint  ## install what the tests need (a real Kafka included) and run everything (some 25 minutes)
	$(BIN)/python -m bench.run --short
	$(BIN)/python -m bench.worst --short
	$(BIN)/python -m bench.state --short
	$(BIN)/python -m bench.growth --short
	$(BIN)/python -m bench.prefixes --short
	$(BIN)/python -m bench.threads --short
	$(BIN)/python -m bench.screen --short
	$(BIN)/python -m pytest -q
	$(BIN)/python -m tests.fuzz.asan
	$(BIN)/python -m tests.fuzz.run --jobs 2
	$(BIN)/python -m bench.gate

build: $(VENV)/.built  ## build the core into .venv

test-asan: build-test  ## unit, conformance, evasion and property tests with the core under ASan and UBSan
	$(BIN)/python -m tests.fuzz.asan

fuzz: build-test  ## libFuzzer: T=framing (a target of tests/fuzz; none: all), S=60 (seconds each)
	$(BIN)/python -m tests.fuzz.run $(T) --seconds $(or $(S),60)

pgo: build-test  ## build the core again, laid out by what runs over the corpus: a fifth faster (gcc; some 4 minutes)
	rm -rf build/pgo
	SIGFW_PGO=train $(BIN)/python setup.py -q build_ext --inplace --force
	$(BIN)/python -m bench.run --short --no-kafka > /dev/null
	SIGFW_PGO=use $(BIN)/python setup.py -q build_ext --inplace --force

bench: build-test  ## measure every layer, the core and the worker over Kafka beside pycrate; prints ratios
	$(BIN)/python -m bench.run
	$(BIN)/python -m bench.worst
	$(BIN)/python -m bench.state
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.prefixes
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.threads
	$(BIN)/python -m bench.goals

bench-peers: build-test  ## the same messages to pycrate, tshark, jSS7 and Rust crates (needs cargo; 15 minutes)
	$(BIN)/python -m bench.compare
	$(BIN)/python -m bench.screen
	$(BIN)/python -m bench.goals

bench-short: build-test  ## does it run: the same with two rounds, as make test does
	$(BIN)/python -m bench.run --short

bench-charts: build-test  ## draw bench/charts from bench/results
	$(BIN)/python -m bench.charts

gate: build-test  ## is HEAD slower than its first parent, as make test asks
	$(BIN)/python -m bench.gate

profile: build-test  ## where the time goes: the core by callgrind, the worker by py-spy, over a capture and over Kafka
	$(BIN)/python -m bench.profile --kafka

broker: build-test  ## run a real Apache Kafka in the foreground on 127.0.0.1:9092 (or PORT=…), with the topics of the reference
	$(BIN)/python -m tests.kafka.broker --port $(PORT) --topic ss7.in --topic ss7.verdicts --topic ss7.events --topic ss7.dead

lint: build-test  ## ruff, cython-lint, mypy, and the stubs beside the compiled modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint sigfw/_core tests/fuzz
	$(BIN)/mypy sigfw
	$(BIN)/python -m mypy.stubtest --concise --allowlist tests/stubtest.allow $(patsubst sigfw/_core/%.pyx,sigfw._core.%,$(wildcard sigfw/_core/*.pyx))

search: build-test  ## re-encode messages under random policies for S seconds (600); prints what an encoding got through
	$(BIN)/python -m tests.property.search --seconds $(or $(S),600)

differential: build-test  ## compare 100,000 generated messages with pycrate and 5,000 with tshark (10 minutes; make test does a tenth)
	SIGFW_DIFFERENTIAL=10 $(BIN)/python -m pytest -q tests/conformance/test_differential.py

clean:  ## remove what was built (not .cache, which holds Kafka's jars)
	rm -rf $(VENV) build out *.egg-info sigfw/_core/*.c sigfw/_core/*.so

lock:  ## renew the lock files from pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	    -o requirements.lock pyproject.toml requirements-build.in
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	    --extra test --extra lint --extra bench -o requirements-test.lock pyproject.toml requirements-build.in

# ---- what the targets stand on

# A fresh Debian has python3 without venv and without the headers.
system:
	@$(PYTHON) -c 'import ensurepip, venv, sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
	    2>/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv python3-dev; }

system-test:
	@command -v tshark >/dev/null && command -v promtool >/dev/null && command -v mvn >/dev/null && command -v redis-server >/dev/null \
	    && command -v valgrind >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    tshark prometheus maven default-jdk-headless redis-server valgrind; }
	@$(PYTHON) -m tests.fuzz.clang || { apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq clang libclang-rt-dev && $(PYTHON) -m tests.fuzz.clang; }

$(VENV)/.locked: requirements.lock | system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.built: $(VENV)/.locked pyproject.toml $(CORE)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.locked-test: requirements-test.lock $(VENV)/.locked
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

build-test: build $(VENV)/.locked-test system-test
