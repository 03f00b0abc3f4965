# One command to run, one to test. `make help` lists the rest.
#
# Everything is built once. Two things make that so:
#  * `cargo build --workspace --bin anwen` chooses the same features for every dependency as the tests do, whereas
#    `cargo build -p anwen` would choose fewer for some and compile them, and all that stands on them, again.
#    `scripts/check-features` guards it.
#  * Tests are compiled by clippy itself (RUSTC_WORKSPACE_WRAPPER, see `LINTED`), so that linting is not a second
#    pass over the dependencies. CONTRIBUTING.md says more.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Outside the clone: another clone reuses the compiled dependencies (and scripts/claim-target keeps them apart).
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/anwen/target
ANWEN := $(CARGO_TARGET_DIR)/debug/anwen

# cargo runs the wrapper for the crates of this workspace only; clippy-driver is rustc plus the lints.
# CLIPPY_ARGS is how `cargo clippy -- ARGS` hands its arguments over; clippy-driver tracks it, so that a change of
# it is a rebuild of our own crates and of nothing else.
LINTED = RUSTC_WORKSPACE_WRAPPER="$$(rustc --print sysroot)/bin/clippy-driver" \
         CLIPPY_ARGS='-Dwarnings__CLIPPY_HACKERY__'

## run: install what is missing, build, and serve on http://localhost:8080
.PHONY: run
run: build
	@scripts/setup ocr || echo 'run: without Tesseract, scans and pictures stay without text; everything else works'
	exec "$(ANWEN)" serve

## test: everything that has to pass: UI, formatting, lints, tidy, Rust tests, clients' suites, browser tests
.PHONY: test
test: setup-test check-ui check-browser check-format check-features claim-target
	$(LINTED) cargo build --workspace --bin anwen
	$(LINTED) scripts/with-postgres cargo nextest run --workspace
	$(MAKE) --no-print-directory nginx-test
	$(MAKE) --no-print-directory client-tests
	$(MAKE) --no-print-directory chart-test
	$(MAKE) --no-print-directory browser-test

## check: formatting, lints, tidy; licences, bans and sources where cargo-deny is installed
.PHONY: check
check: setup-build check-ui check-format check-features claim-target
	@scripts/setup nextest
	$(LINTED) cargo nextest run --workspace --no-run
	$(LINTED) cargo nextest run --workspace -E 'binary_id(anwen-tests::tidy)'
	$(MAKE) --no-print-directory chart-test
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --workspace check licenses bans sources; \
	else echo 'check: licences, bans and sources not checked: cargo-deny is not installed (cargo install cargo-deny --locked)'; fi

## fmt: format the Rust and the UI sources
.PHONY: fmt
fmt: setup-ui
	cargo fmt --all
	npm --prefix services/web/ui run --silent format

## ui: build the browser application (services/web/ui/dist)
.PHONY: ui
ui: setup-ui
	@scripts/build-ui

## build: build the `anwen` program with its UI
.PHONY: build
build: setup-build ui claim-target
	cargo build --workspace --bin anwen

## screenshots: take the pictures that the README and the guides show
.PHONY: screenshots
screenshots: build
	@scripts/setup browser
	npm --prefix tests/browser run screenshots

## samples: write samples/library again from samples/source
.PHONY: samples
samples:
	scripts/make-samples

## bench-footprint: idle memory, start time and sizes, beside their bounds
.PHONY: bench-footprint
bench-footprint: build
	python3 benches/footprint.py --binary "$(ANWEN)"

## bench-parse: text quality, speed and memory of the parsers beside other programs: make bench-parse [DOCS=FOLDER]
.PHONY: bench-parse
bench-parse: setup-build claim-target
	cargo build --workspace --example parse_bench
	python3 benches/parse.py --runner "$(CARGO_TARGET_DIR)/debug/examples/parse_bench" $(DOCS)

## bench-embedding: the bundled embedding in process and over HTTP, beside model2vec-rs and model2vec
.PHONY: bench-embedding
bench-embedding: setup-build claim-target
	cargo build --workspace --bin anwen-model-runtime --example embedding_bench --example embedding_client
	python3 benches/embedding.py --server "$(CARGO_TARGET_DIR)/debug/anwen-model-runtime" \
	  --bench "$(CARGO_TARGET_DIR)/debug/examples/embedding_bench" --client "$(CARGO_TARGET_DIR)/debug/examples/embedding_client"
## bench-model: speed and memory of language models beside llama-cpp-python's server, which is built first (minutes)
.PHONY: bench-model
bench-model: setup-build claim-target
	cargo build --workspace --bin anwen-model-runtime
	python3 benches/model.py --runtime "$(dir $(ANWEN))anwen-model-runtime" $(MODEL_ARGS)

## client-tests: drive the model runtime with the ollama, openai, LangChain and AI SDK packages
.PHONY: client-tests
client-tests: setup-build claim-target
	$(LINTED) cargo build --workspace --bin anwen-model-runtime --example tiny_models
	tests/clients/run

## nginx-test: the compose files, and nginx's settings with a real nginx before the real server
.PHONY: nginx-test
nginx-test:
	@scripts/setup nginx compose
	tests/compose/validate
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover --quiet --start-directory tests/compose
	tests/compose/nginx --binary "$(ANWEN)"

## compose-test: images, a first start, a cited answer through nginx, and failures of every kind; needs Docker and root
.PHONY: compose-test
compose-test:
	tests/compose/run $(COMPOSE_ARGS)

## chart-test: the Helm chart against Kubernetes' schemas; alert rules and dashboards by promtool
.PHONY: chart-test
chart-test:
	@scripts/setup watching
	tests/chart/run

## deb: the Debian package of the standalone program, in dist/
.PHONY: deb
deb: build
	packaging/build-deb "$(ANWEN)" - dist

## bundle: one archive for a machine without a network, in dist/: make bundle [MODELS="a b"] [BUNDLE_KEY=key.pem]
.PHONY: bundle
bundle: build
	scripts/bundle "$(ANWEN)" dist $(MODELS)

## package-test: make the Debian package, install, upgrade and purge it (minutes)
.PHONY: package-test
package-test: build
	tests/package/run "$(ANWEN)"

## airgap-test: install a bundle where there is no network, work there, and count what is sent outside (minutes)
.PHONY: airgap-test
airgap-test: build
	tests/airgap/run "$(ANWEN)"

## roll-test: replace web and the model runtime under load, from the programs in OLD (a folder) to those built here
.PHONY: roll-test
roll-test: build
	cargo build --workspace --bin anwen --bin anwen-web --bin anwen-knowledge --bin anwen-model-runtime --bin anwen-search-proxy
	tests/roll/run "$(or $(OLD),$(dir $(ANWEN)))" "$(dir $(ANWEN))"

## fuzz: damaged files for every parser, each to end as a document or with a code: make fuzz [INPUTS=200000] [SEED=1]
.PHONY: fuzz
fuzz: setup-build claim-target
	cargo test --workspace --test fuzz -- campaign --inputs $(or $(INPUTS),200000) --seed $(or $(SEED),1)

## bench-search: load, deadline and memory of the search proxy with stand-in engines: make bench-search [SEARXNG=FOLDER]
.PHONY: bench-search
bench-search: build
	cargo build --workspace --bin anwen-search-proxy --example load
	"$(dir $(ANWEN))examples/load" "$(dir $(ANWEN))anwen-search-proxy" $(SEARXNG)

## bench-load: 500 open streams and 50 questions a second with the scripted engine; idle memory of the four services
.PHONY: bench-load
bench-load: build
	cargo build --workspace --bin anwen --bin anwen-web --bin anwen-knowledge --bin anwen-model-runtime --bin anwen-search-proxy
	python3 benches/load.py --binary "$(ANWEN)"

## quality: recall, MRR and nDCG of a folder of retrieval sets: make quality EVAL=DIR
.PHONY: quality
quality: build
	@test -n "$(EVAL)" || { echo 'quality: say which sets: make quality EVAL=DIR' >&2; exit 2; }
	"$(ANWEN)" eval "$(EVAL)"

## help: this list
.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

# What the targets above are made of.

export ANWEN_BIN = $(ANWEN)
export CHROMIUM ?= /usr/bin/chromium

.PHONY: setup-build setup-ui setup-test check-ui check-browser check-format check-features claim-target browser-test
setup-build:
	@scripts/setup build
setup-ui:
	@scripts/setup ui
setup-test: setup-build
	@scripts/setup ui nextest postgres ocr nginx compose browser
check-ui: ui
	npm --prefix services/web/ui run --silent lint
	npm --prefix services/web/ui run --silent test
check-format: setup-build
	cargo fmt --all --check
check-features:
	@scripts/check-features
claim-target:
	@scripts/claim-target
check-browser:
	npm --prefix tests/browser run --silent lint
	npm --prefix tests/browser run --silent typecheck
browser-test:
	npm --prefix tests/browser run --silent test
