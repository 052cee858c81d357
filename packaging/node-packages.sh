#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts the packages of static/package-lock.json into static/node_modules, with npm. Does nothing where they are there already.
#
#   packaging/node-packages.sh build   what the viewer is made of
#   packaging/node-packages.sh test    and what checks it
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

set=${1:-build}
[[ $set == build || $set == test ]] || die --code=64 "usage: $0 build|test"
if [[ ${SKIP_DEPS:-} == 1 && -d static/node_modules ]]; then exit 0; fi

# The stamp tells for which lock file, and how far, the folder was filled.
stamp=static/node_modules/.livelogd
lock=$(sha256sum <static/package-lock.json)
present=$(cat "$stamp" 2>/dev/null || true)
if [[ $present == "test $lock" || $present == "$set $lock" ]]; then exit 0; fi

command -v npm >/dev/null || die "npm is missing: install Node.js 18 or newer with npm, or build without the viewer (-DLIVELOGD_VIEWER=OFF)."
say "Installing the viewer's packages ($set)"
omit=()
[[ $set == test ]] || omit=(--omit=dev)
# No package runs a script here: esbuild works without the one it brings.
(cd static && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "${omit[@]}") ||
    die "npm could not install the viewer's packages; it tells why above."
echo "$set $lock" >"$stamp"
