# What people type. Every target can be run in any order, twice, and offline once its downloads are there.
SHELL := /bin/bash
BUILD := build/release
ATELIER := $(BUILD)/atelier
JOBS := $(shell nproc)

.PHONY: help demo test build dist soak quality peers format tidy clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo:  ## build, bring SmolLM2-135M-Instruct, answer a question in the terminal
	@scripts/install_deps.sh build models
	@$(MAKE) --no-print-directory build TARGETS=atelier
	@scripts/fetch_models.sh smollm2-135m-instruct
	@scripts/demo.sh $(ATELIER)

test:  ## build and run every test
	@scripts/install_deps.sh build models
	@$(MAKE) --no-print-directory build TARGETS=all
	@scripts/fetch_models.sh smollm2-135m-instruct gemma3-270m
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --parallel $(JOBS)

build:
	@[[ -f $(BUILD)/build.ninja ]] || cmake --preset release --log-level=WARNING
	cmake --build $(BUILD) --parallel $(JOBS) --target $(TARGETS)

dist:  ## a relocatable tarball and a .deb in dist/
	@scripts/install_deps.sh build dist
	@$(MAKE) --no-print-directory build TARGETS=atelier
	scripts/make_dist.sh $(BUILD) dist

soak:  ## a million damaged inputs and 10,000 hostile requests, under sanitizers; ten minutes of load on the engine, and on the server
	@scripts/install_deps.sh build models
	@scripts/fetch_models.sh smollm2-135m-instruct
	@$(MAKE) --no-print-directory build TARGETS="engine_soak serve_soak atelier"
	$(BUILD)/engine_soak tests/golden/models/smollm2 --requests 10000
	$(BUILD)/engine_soak $${ATELIER_HOME:-$$HOME/.local/share/atelier}/models/smollm2-135m-instruct/model.gguf --minutes 10
	$(BUILD)/serve_soak $${ATELIER_HOME:-$$HOME/.local/share/atelier}/models/smollm2-135m-instruct/model.gguf --minutes 10
	scripts/check_schemathesis.sh $(ATELIER) 200
	cmake --preset asan --log-level=WARNING
	cmake --build build/asan --parallel $(JOBS) --target serve_test
	ATELIER_ATTACKS=10000 build/asan/serve_test --gtest_filter='Attack.*'
	scripts/fuzz.sh 1000000

quality:  ## perplexities, held to the bounds of docs/parity.md
	@scripts/install_deps.sh build models
	@$(MAKE) --no-print-directory build TARGETS=atelier
	@scripts/fetch_models.sh smollm2-135m-instruct gemma3-270m
	@python3 scripts/parity/perplexity.py --atelier $(ATELIER)

peers:  ## speed and results beside llama.cpp on this machine (PEERS_PYTHON: a Python that has it)
	@scripts/install_deps.sh build models
	@$(MAKE) --no-print-directory build TARGETS=atelier
	@scripts/fetch_models.sh smollm2-135m-instruct gemma3-270m
	@scripts/peers.py $(ATELIER)
	@scripts/parity/all.sh $(ATELIER)

format:  ## clang-format over every source
	@scripts/install_deps.sh checks
	scripts/check_format.sh --fix

tidy:  ## clang-tidy over every source, some minutes
	@scripts/install_deps.sh build checks tidy
	scripts/check_tidy.sh

clean:  ## remove what was built; downloads stay
	rm -rf build dist
