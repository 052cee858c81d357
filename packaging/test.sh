#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the test suite on the daemon that has been built, builds the test programs meanwhile, goes on after a failure, and
# ends with one line that sums up.
#
#   packaging/test.sh quick    unit and model tests, the Python package, black box, faults, browser
#   packaging/test.sh all      that, then types, packages, machines, proxies, address, undefined-behaviour and thread sanitizers,
#                              fuzzing, clang-tidy, format
#   packaging/test.sh PART     one part of it alone: more (seeds, kills, power cuts and readers), types, system (packages
#                              and machines: tests/system), proxies, asan, tsan, fuzz, lint
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source packaging/lib.sh

what=${1:-quick}
results=$PWD/build/test-results
rm -rf "$results"
mkdir -p "$results"
fuzz_seconds=${FUZZ_SECONDS:-60}
unset LIVELOGD_BIN

# The outcome of each step, for the table at the end: "ok" or "FAILED", seconds, name. A file for each lane, because
# lanes run in processes of their own.
rows=$results/steps-main
: >"$rows"

# step NAME LIMIT COMMAND...: runs a command, for at most LIMIT seconds.
step() {
    local name=$1 limit=$2 began=$SECONDS code=0
    shift 2
    say "$name"
    # SIGINT first: pytest then still writes its results, and its fixtures stop the daemons they have started.
    timeout --foreground --signal=INT --kill-after=20 "$limit" "$@" || code=$?
    if ((code == 0)); then
        printf '  ok      %4d s  %s\n' $((SECONDS - began)) "$name" >>"$rows"
    else
        ((code != 124)) || warn "$name did not end within $limit s."
        printf '  FAILED  %4d s  %s\n' $((SECONDS - began)) "$name" >>"$rows"
    fi
}

# broke NAME: something before a step has failed.
broke() {
    printf '  FAILED          %s\n' "$1" >>"$rows"
}

# lane NAME FUNCTION: runs steps beside those that follow; what they print is shown by `join`. Most tests wait more than
# they compute, so lanes share two cores well.
lanes=()
lane() {
    local name=$1 function=$2
    say "Beside what follows: $name"
    rows=$results/steps-$name
    : >"$rows"
    "$function" >"$results/lane-$name.log" 2>&1 &
    lanes+=("$name:$!")
    rows=$results/steps-main
}
join() {
    local one
    for one in "${lanes[@]}"; do
        wait "${one#*:}"
        cat "$results/lane-${one%:*}.log"
    done
    lanes=()
}

# pytest_step NAME LIMIT ARGUMENT...: pytest, with its results where they are added up.
pytest_step() {
    local name=$1 limit=$2
    shift 2
    step "$name" "$limit" env PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m pytest -q -p no:cacheprovider --junitxml="$results/${name//[^a-z]/-}.xml" "$@"
}

# node_step NAME LIMIT FOLDER FILES: the viewer's tests, so many files at once.
node_step() {
    step "$1" "$2" node tests/viewer/run.mjs "$3" --junit "$results/$1.xml" --parallel "$4"
}

# quietly LOG COMMAND...: for those that print much even when all is well. The output goes into a file, and is shown if
# the command fails.
quietly() {
    local log=$results/$1 code=0
    shift
    "$@" >"$log" 2>&1 || code=$?
    ((code == 0)) || cat "$log"
    return "$code"
}
export -f quietly
export results

ctest_step() {
    step "unit and model tests ($1)" "$2" bash -c 'quietly "$@"' - "ctest-$1.log" \
        ctest --preset "$1" -j "$(nproc)" --output-junit "$results/ctest-$1.xml"
    sed -n '/tests passed/p' "$results/ctest-$1.log"
}

sanitizer() {
    say "Building with $1"
    if ! packaging/build.sh "$1"; then
        broke "the build of preset $1"
        return
    fi
    ctest_step "$1" 1200
    # Tests that measure memory see what they are given and leave themselves out.
    export LIVELOGD_BIN=$PWD/build/$1/livelogd
    pytest_step "black box ($1)" 1800 tests/blackbox
    unset LIVELOGD_BIN
}

fuzz() {
    local target targets=() corpus dictionary
    for target in tests/fuzz/*_fuzz.cpp; do
        targets+=("$(basename "$target" .cpp)")
    done
    if ! packaging/build.sh fuzz "${targets[@]}"; then
        broke "the build of preset fuzz"
        return
    fi
    for target in "${targets[@]}"; do
        # What it has found before is where it goes on; a new one begins with the golden cases.
        corpus=build/fuzz/corpus/$target
        "$python" tests/fuzz/make_corpus.py "$target" "$corpus" || broke "the corpus of $target"
        dictionary=record
        [[ $target != query_* && $target != session_* ]] || dictionary=http
        [[ $target != filter_* ]] || dictionary=filter
        [[ $target != secrets_* ]] || dictionary=secrets
        step "$target" $((fuzz_seconds + 60)) bash -c 'quietly "$@"' - "$target.log" "build/fuzz/tests/fuzz/$target" \
            -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=10 -verbosity=0 -dict="tests/fuzz/$dictionary.dict" \
            -artifact_prefix="$results/" "$corpus"
    done
}

# machine_step NAME LIMIT BASE FILE: tests that run inside a machine (tests/system/machine.sh). Where none can be booted the
# step is skipped, with the reason.
machine_step() {
    local name=$1 limit=$2 base=$3 file=$4 out code=0
    out=$results/machine-$base
    mkdir -p "$out"
    say "$name"
    MACHINE_SECONDS=$limit tests/system/machine.sh "$base" "$out" env LIVELOGD_SYSTEM="${LIVELOGD_SYSTEM:-}" \
        "$python" -m pytest -q -rs -p no:cacheprovider --junitxml=/out/results.xml "$file" || code=$?
    case $code in
        0) printf '  ok              %s\n' "$name" >>"$rows" ;;
        77) printf '  skipped         %s\n' "$name" >>"$rows" ;;
        *) printf '  FAILED          %s\n' "$name" >>"$rows" ;;
    esac
    [[ ! -e $out/results.xml ]] || cp "$out/results.xml" "$results/machine-$base.xml"
}
packages() {
    if ! command -v dh >/dev/null || ! command -v lintian >/dev/null; then
        say "Packages"
        warn "skipped: debhelper or lintian is missing (packaging/install-deps.sh deb)"
        printf '  skipped         packages\n' >>"$rows"
        return
    fi
    step "packages" 120 packaging/deb.sh
    step "lintian" 120 lintian --allow-root --fail-on error,warning build/deb/*.changes
    machine_step "the service in a machine" 120 host tests/system/test_service.py
    machine_step "the packages on a bare Debian" 120 bare tests/system/test_package.py
}

# Types are checked where users of the package rely on them, and where a slip in a test would go unnoticed.
types() {
    step "types of the Python package" 300 \
        env -C protocol/python "$python" -m mypy --cache-dir ../../build/mypy
    step "types of the black-box suite" 300 env MYPYPATH=tests/support:tests/blackbox \
        "$python" -m mypy --strict --explicit-package-bases --cache-dir build/mypy tests/support tests/blackbox
    step "types of the fault suite" 300 env MYPYPATH=tests/support:tests/blackbox:tests/faults \
        "$python" -m mypy --strict --explicit-package-bases --cache-dir build/mypy tests/faults
    step "types of the system suite" 300 env MYPYPATH=protocol/python/src:tests/system \
        "$python" -m mypy --strict --explicit-package-bases --cache-dir build/mypy tests/system
    step "types of the proxy suite" 300 env MYPYPATH=tests/support:tests/proxies \
        "$python" -m mypy --strict --explicit-package-bases --cache-dir build/mypy tests/proxies
}

browser() {
    step "types of the viewer" 120 static/node_modules/.bin/tsc --noEmit -p tests/viewer
    node_step "viewer" 120 tests/viewer 2
    node_step "browser" 400 tests/browser 2
}
# The black box in two halves by the alphabet, so that the lanes end at about the same time.
outside() {
    pytest_step "structure" 60 tests/structure
    pytest_step "the Python package" 400 protocol/python
    pytest_step "black box to g" 600 tests/blackbox/test_[a-g]*.py
}
faults() {
    pytest_step "faults" 600 tests/faults
    pytest_step "black box from h" 600 tests/blackbox/test_[h-z]*.py
}

# What everybody runs.
quick() {
    lane faults faults
    lane browser browser
    lane outside outside
    # At a lower priority than the tests that look at the clock.
    if nice packaging/build.sh release; then
        ctest_step release 600
    else
        broke "the build of preset release"
    fi
    join
}
# The same tests with many more seeds, kills, power cuts and readers.
more() {
    export LIVELOGD_FAULTS=all
    step "model tests (all faults)" 900 bash -c 'quietly "$@"' - models.log build/release/tests/model/model_storage
    pytest_step "faults (all)" 3600 tests/faults
    pytest_step "the Python package (all)" 900 protocol/python/tests/test_real_daemon.py
    pytest_step "readers (all)" 900 tests/blackbox/test_stream_readers.py
    pytest_step "filters (all)" 900 tests/blackbox/test_filter_property.py tests/blackbox/test_history.py
    unset LIVELOGD_FAULTS
}
proxies() {
    pytest_step "proxies" 300 tests/proxies
}
lint() {
    step "format" 120 packaging/lint.sh check-format
    step "clang-tidy" 3600 packaging/lint.sh tidy
}

case $what in
    quick | more | types | proxies | fuzz | lint) "$what" ;;
    system) packages ;;
    asan | tsan) sanitizer "$what" ;;
    all)
        for part in quick more types packages proxies; do "$part"; done
        sanitizer asan
        sanitizer tsan
        fuzz
        lint
        ;;
    *) die --code=64 "no part of the tests is called '$what': see the top of $0" ;;
esac

say "Summary"
cat "$results"/steps-*
broken=$(cat "$results"/steps-* | grep -c '^  FAILED')
# A step that failed without a failed test in its results (a crash, a time-out, clang-tidy) counts as one failure.
shopt -s nullglob
"$python" packaging/sum_results.py --broken-steps "$broken" --steps "$(cat "$results"/steps-* | grep -c '^  ok')" "$results"/*.xml
