# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts behind `make` share. Sourced, with the repository's root as the working directory.

# shellcheck disable=SC2034  # used by those who source this
readonly python=/usr/bin/python3   # Debian's: the one that sees the packages that apt installs

say() { printf '\n== %s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# Ends the script with a sentence for whoever typed `make`.
die() {
    local code=1
    if [[ $1 == --code=* ]]; then code=${1#--code=}; shift; fi
    printf '\nerror: %s\n' "$*" >&2
    exit "$code"
}

# Whether a Debian package is installed.
installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
