# SPDX-License-Identifier: MIT
# The short way to everything. The work is done by CMake (see CMakePresets.json) and the scripts in packaging/.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help run build test test-all test-system bench bench-check format lint clean install-deps deb docs

# Variables given on the command line reach the scripts: PORT, APP_PORT, LOG_DIR, QUIET, SKIP_DEPS. BENCH and LONG are
# for the benchmark: which groups, and whether those that take long.
export PORT APP_PORT LOG_DIR QUIET SKIP_DEPS

help:           ## list the targets
	@sed -nE 's/^([a-z-]+):.*##  *(.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run:            ## build, then start the daemon on port 5000 and the sample app on 5001 (PORT=, APP_PORT=, QUIET=1)
	@packaging/install-deps.sh build
	@packaging/node-packages.sh build
	@packaging/run.sh check
	@packaging/build.sh release livelogd
	@packaging/run.sh

build:          ## build everything that is optimised and shipped, into build/release
	@packaging/install-deps.sh build
	@packaging/node-packages.sh build
	@packaging/build.sh release

test:           ## build and run the test suite: units, models, Python, black box, browser
	@packaging/install-deps.sh build test
	@packaging/node-packages.sh test
	@packaging/promtool.sh
	@packaging/build.sh release livelogd
	@packaging/test.sh quick

test-all:       ## test, and then types, packages, machines, proxies, sanitizers, fuzzing, clang-tidy and clang-format
	@packaging/install-deps.sh build test proxies analysis deb system
	@packaging/node-packages.sh test
	@packaging/promtool.sh
	@packaging/build.sh release livelogd
	@packaging/test.sh all

deb:            ## build the Debian packages livelogd and python3-livelogd into build/deb
	@packaging/install-deps.sh build deb
	@packaging/node-packages.sh build
	@packaging/build.sh release livelogd
	@packaging/deb.sh

test-system:    ## boot throw-away machines with systemd, and install, crash, restart and upgrade the packages (needs root)
	@packaging/install-deps.sh build test deb system
	@packaging/node-packages.sh build
	@packaging/build.sh release livelogd
	@packaging/test.sh system

docs:           ## make docs/configuration.md and config/livelogd.toml again from the table of options
	@packaging/install-deps.sh build
	@packaging/build.sh release livelogd
	@packaging/option_documents.py write

bench:          ## measure against bare programs, as ratios (BENCH="ingest stats", LONG=1): docs/performance.md
	@packaging/install-deps.sh build
	@packaging/build.sh release livelogd bench
	@tests/bench/bench.py $(BENCH) $(if $(LONG),--long)

bench-check:    ## the same, and fail where a ratio of docs/performance.md has become worse by more than a fifth
	@packaging/install-deps.sh build
	@packaging/build.sh release livelogd bench
	@tests/bench/bench.py $(BENCH) $(if $(LONG),--long) --check

format:         ## rewrite the C++ sources in the project's format
	@packaging/install-deps.sh analysis
	@packaging/lint.sh format

lint:           ## check the format, and run clang-tidy
	@packaging/install-deps.sh build test analysis
	@packaging/node-packages.sh build
	@packaging/lint.sh check-format
	@packaging/lint.sh tidy

install-deps:   ## install every package that any of these targets needs
	@packaging/install-deps.sh build test proxies analysis deb system
	@packaging/node-packages.sh test

clean:          ## remove build/ (logs/ stays)
	rm -rf build
