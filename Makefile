# Needs Rust (by rustup), Python 3, Node, git, make and gcc. Everything else is set up on the way, under
# target/ where it can be.

.DEFAULT_GOAL := help
.PHONY: help demo dashboard myths test test-dashboard screenshots fuzz lint fmt docs bench bench-ui

# rustup knows the pinned toolchain by its number. A machine that has the same one as `stable`, and cannot
# download it again under its number, uses that.
ifneq ($(shell cargo --version >/dev/null 2>&1; echo $$?),0)
pinned := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
ifneq ($(findstring rustc $(pinned) ,$(shell rustc +stable --version 2>/dev/null)),)
export RUSTUP_TOOLCHAIN := stable
endif
endif

# Where cargo builds.
target := $(or $(CARGO_TARGET_DIR),target)

# Flags for the demo: make demo DEMO="--for 30s --drop-context books"
DEMO ?=

help: ## These targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: dashboard ## The books application, meshed and under load; prints where to look (DEMO="--for 30s" and other flags)
	@cargo build --release --locked --package clew
	@$(target)/release/clew demo $(DEMO)

dashboard: ## What the dashboard is made of, for the binary to hold
	@scripts/dashboard

myths: dashboard ## Four myths of tracing, each tried: the command, its output, and what it must say
	@cargo build --release --locked --package clew
	@scripts/test peers
	@$(target)/peers/bin/python scripts/myths $(target)/release/clew

test: ## Formats, lints, and all tests, with the set-up of what they need
	@scripts/test

test-dashboard: dashboard ## The dashboard in a real browser (Debian's chromium), before a real mesh
	@cargo build --locked --package clew --package clew-proxy --package clew-books
	@cd dashboard && CLEW_TEST_PROGRAM=$(abspath $(target))/debug/clew npx vitest run --config vitest.e2e.config.ts

screenshots: dashboard ## Every page of the dashboard, light and dark, in target/screenshots
	@cargo build --locked --package clew --package clew-proxy --package clew-books
	@cd dashboard && CLEW_TEST_PROGRAM=$(abspath $(target))/debug/clew npx vitest run --config vitest.screenshots.config.ts

fuzz: ## Random bytes for whatever reads bytes of others: FUZZ_SECONDS=60 for each target (needs a nightly toolchain)
	@scripts/fuzz

lint: ## Formats and lints only
	@scripts/test lint

fmt: ## Format everything
	@cargo fmt --all

docs: ## Write what is generated from the code (docs/, committed protobuf code) anew
	@scripts/test docs

bench: ## One proxy on one core, beside a direct connection
	@bench/run

bench-ui: dashboard ## The topology of a large mesh and a large trace in a real browser: first picture, script time for each frame
	@cd dashboard && node bench/ui.js
