#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures a CMake preset and builds it.
#
#   packaging/build.sh PRESET [TARGET...]
#
# The tests are part of the build folder as soon as Catch2 is installed; without it only the daemon is. So a bare
# machine can run the daemon, and installing the rest later goes on in the same folder.
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

(($# > 0)) || die --code=64 "usage: $0 PRESET [TARGET...]"
preset=$1
shift

# What ccache has to be told to keep what is compiled with a precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

tests=OFF
if [[ ${SKIP_DEPS:-} == 1 ]] || installed catch2; then tests=ON; fi

say "Building preset $preset${*:+: $*}"
# The configure step takes a second when nothing has changed, and says nothing unless it fails.
mkdir -p build
if ! cmake --preset "$preset" -DLIVELOGD_TESTS="$tests" >"build/configure-$preset.log" 2>&1; then
    cat "build/configure-$preset.log" >&2
    die "CMake could not configure preset $preset."
fi
targets=()
(($# == 0)) || targets=(--target "$@")
cmake --build --preset "$preset" "${targets[@]}" ||
    die "the build of preset $preset failed."
