#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gets promtool, with which a test checks /metrics, into build/tools, unless there is one there or on the PATH.
#
# It is part of Debian's package prometheus. That is not installed, because it would start a service on this machine:
# the package is fetched (19 MB) and promtool (48 MB) taken out of it. Where it cannot be had the test is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

if command -v promtool >/dev/null || [[ -x build/tools/promtool ]]; then exit 0; fi
if [[ ${SKIP_DEPS:-} == 1 ]]; then exit 0; fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    warn "There is no apt-get here to fetch promtool with: the test that needs it will be skipped."
    exit 0
fi

mkdir -p build/tools
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt-get, run by root, fetches as another user

fetch() { (cd "$folder" && timeout 300 apt-get download -qq prometheus); }

say "Fetching promtool (Debian's package prometheus, 19 MB, is unpacked, not installed)"
if ! fetch 2>"$folder/errors"; then
    # Its lists of packages may be older than what the archive has.
    as_root=()
    ((EUID == 0)) || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq || true
    if ! fetch; then
        warn "promtool could not be fetched: the test that needs it will be skipped."
        exit 0
    fi
fi
# Through a name of its own, so that an interrupted run leaves no half of a program behind.
dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -xO ./usr/bin/promtool >build/tools/promtool.new
chmod 755 build/tools/promtool.new
mv build/tools/promtool.new build/tools/promtool
