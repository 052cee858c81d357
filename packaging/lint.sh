#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-format and clang-tidy over the project's own C++.
#
#   packaging/lint.sh format          rewrites the files in the project's format
#   packaging/lint.sh check-format    fails if one of them is not in it
#   packaging/lint.sh tidy            clang-tidy, with the flags of the asan preset (clang's own)
#
# For tidy each source is a program of its own, so that one that has forgotten to include something is found.
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

mapfile -t sources < <(find protocol daemon static tests -name node_modules -prune -o \
    \( -name '*.cpp' -o -name '*.hpp' \) -print | sort)
((${#sources[@]} > 0)) || die "no C++ sources found."

case ${1:-} in
    format)
        say "clang-format: ${#sources[@]} files"
        clang-format-19 -i "${sources[@]}"
        ;;
    check-format)
        say "clang-format: checking ${#sources[@]} files"
        clang-format-19 --dry-run -Werror "${sources[@]}" || die "files are not in the project's format: make format"
        ;;
    tidy)
        # The compile database is that of a configured clang build; only files that are compiled can be checked.
        cmake --preset asan -B build/tidy -DLIVELOGD_UNITY=OFF >build/configure-tidy.log 2>&1 ||
            { cat build/configure-tidy.log >&2; die "CMake failed."; }
        say "clang-tidy"
        run-clang-tidy-19 -p build/tidy -quiet -j "$(nproc)" \
            "^$PWD/(protocol|daemon|static|tests)/" >build/clang-tidy.log 2>&1 ||
            { grep -E 'warning:|error:' build/clang-tidy.log | sort -u >&2
              die "clang-tidy found something; the whole of it is in build/clang-tidy.log"; }
        ;;
    *) die --code=64 "usage: $0 format|check-format|tidy" ;;
esac
