#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing of the named sets of Debian packages. Does nothing, and asks nobody, where all is there.
#
#   packaging/install-deps.sh SET...      SET: build | test | proxies | analysis | deb | system
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

# To compile the daemon, to run it with the sample app, and to ask it by hand as the README shows.
build_packages=(
    g++ cmake ninja-build ccache make
    libboost1.81-dev libboost-json1.81-dev libboost-system1.81-dev
    libcli11-dev libtomlplusplus-dev libhowardhinnant-date-dev libre2-dev libxxhash-dev libssl-dev libzstd-dev tzdata
    python3 python3-flask curl jq socat
)
# To run the tests.
test_packages=(
    catch2 python3-pytest python3-requests python3-flask mypy
    python3-fastapi python3-uvicorn gunicorn python3-pip python3-setuptools python3-wheel
    python3-jsonschema procps strace zstd openssl chromium
)
# To run tests/proxies, which `make test-all` does. Debian starts nginx, Caddy and sshd when it installs them.
proxies_packages=(nginx caddy openssh-server openssh-client openssl python3-pytest)
# To bundle the viewer. Debian's npm is 330 small packages, half a minute; whoever has Node.js from elsewhere has npm with it.
node_packages=(nodejs npm)
# For sanitizers, fuzzing, clang-tidy and clang-format. The sanitizers' runtime is only recommended by clang-19.
analysis_packages=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev lld-19)
# To build the Debian packages and to look them over.
deb_packages=(dpkg-dev debhelper dh-python pybuild-plugin-pyproject python3-setuptools fakeroot lintian)
# To boot throw-away machines, and to make a bare Debian for one.
system_packages=(systemd systemd-container dbus debootstrap python3-pytest)

# Node.js 18 or newer, and npm, wherever they come from.
has_node() {
    command -v npm >/dev/null && command -v node >/dev/null && [[ $(node --version) =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] >= 18))
}

(($# > 0)) || die --code=64 "usage: $0 build|test|proxies|analysis|deb|system ..."
wanted=()
for set in "$@"; do
    case $set in
        build)
            wanted+=("${build_packages[@]}")
            has_node || wanted+=("${node_packages[@]}")
            ;;
        test) wanted+=("${test_packages[@]}") ;;
        proxies) wanted+=("${proxies_packages[@]}") ;;
        analysis) wanted+=("${analysis_packages[@]}") ;;
        deb) wanted+=("${deb_packages[@]}") ;;
        system) wanted+=("${system_packages[@]}") ;;
        *) die --code=64 "no such set of packages: $set (build, test, proxies, analysis, deb, system)" ;;
    esac
done

if [[ ${SKIP_DEPS:-} == 1 ]]; then exit 0; fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is not a Debian-like system. Install what these Debian packages hold, then run make again" \
        "with SKIP_DEPS=1: ${wanted[*]}"
fi

# One call for all of them: packages that dpkg has never heard of are told on stderr and left out.
present=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
    awk '$2 == "installed" { print $1 }') || true
missing=()
for package in "${wanted[@]}"; do
    if ! grep -qxF -- "$package" <<<"$present" && [[ " ${missing[*]} " != *" $package "* ]]; then
        missing+=("$package")
    fi
done
((${#missing[@]} > 0)) || exit 0

# Nothing that is installed may go: Boost 1.74's and 1.81's headers, for instance, exclude each other, and which of
# them stays is not for a Makefile to decide.
command=(apt-get install -y --no-install-recommends --no-remove "${missing[@]}")
as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null ||
        die "packages are missing, and installing them needs root (there is no sudo here). As root: apt-get update; ${command[*]}"
    as_root=(sudo)
fi

say "Installing from Debian: ${missing[*]}"
"${as_root[@]}" apt-get update -qq ||
    warn "apt-get update had trouble with a source (see above); going on with what the others offer."
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${command[@]}" ||
    die "the packages could not be installed; apt tells why above. The command was: ${command[*]}"
