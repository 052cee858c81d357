#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-format and clang-tidy over the project's own C++.
#
#   packaging/lint.sh format          rewrites the files in the project's format
#   packaging/lint.sh check-format    fails if one of them is not in it
#   packaging/lint.sh tidy            clang-tidy, with the flags of the asan preset (clang's own)
#
# For tidy sources are compiled several at once, like everywhere else (LIVELOGD_UNITY): most of the time goes into what
# they include, and each alone takes three times as long.
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

mapfile -t sources < <(find protocol daemon static tests -name node_modules -prune -o \
    \( -name '*.cpp' -o -name '*.hpp' \) -print | sort)
((${#sources[@]} > 0)) || die "no C++ sources found."

# tidy FILES ARGUMENT...: those of the compile database whose names fit.
tidy() {
    local files=$1
    shift
    run-clang-tidy-19 -p build/tidy -quiet -j "$(nproc)" -checks=-bugprone-suspicious-include "$@" "$files" \
        >>build/clang-tidy.log 2>&1
}

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
        # Only what is compiled can be checked. A header that is compiled in advance would have to be made first.
        cmake --preset asan -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >build/configure-tidy.log 2>&1 ||
            { cat build/configure-tidy.log >&2; die "CMake failed."; }
        say "clang-tidy"
        rm -f build/clang-tidy.log
        failed=0
        tidy '/build/tidy/(protocol|daemon|static)/.*/Unity/|^'"$PWD"'/(protocol|daemon|static)/' || failed=1
        # A file that includes others is where clang-tidy looks for its configuration.
        tidy '/build/tidy/tests/.*/Unity/|^'"$PWD"'/tests/' -config-file=tests/.clang-tidy || failed=1
        ((failed == 0)) ||
            { grep -E '^[^ ]+ (warning|error):' build/clang-tidy.log | sort -u >&2
              die "clang-tidy found something; the whole of it is in build/clang-tidy.log"; }
        ;;
    *) die --code=64 "usage: $0 format|check-format|tidy" ;;
esac
