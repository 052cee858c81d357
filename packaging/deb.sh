#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the Debian packages livelogd and python3-livelogd into build/deb, from the daemon in build/release.
#
#   packaging/deb.sh [VERSION]
#
# VERSION replaces that of packaging/debian/changelog: for builds between releases, and for the tests of upgrades. Nothing
# is fetched, and nothing outside build/deb is written.
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

root=$PWD
program=${LIVELOGD_BIN:-$root/build/release/livelogd}
[[ -x $program ]] || die "$program is missing: run packaging/build.sh release livelogd first."
version=${1:-$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)}
upstream=$(sed -nE 's/^project\(livelogd VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
[[ $version == "$upstream"* ]] ||
    die "the version of the packages would be $version, that of the program (CMakeLists.txt) is $upstream."

# Debian's tools want the folder debian/ at the top of a source tree and write into both: they get a copy.
out=build/deb
tree=$out/tree/livelogd
rm -rf "$out/tree"
mkdir -p "$tree"
cp -r packaging protocol docs config LICENSE README.md CMakeLists.txt CMakePresets.json daemon "$tree/"
cp -r packaging/debian "$tree/debian"
find "$tree" \( -name __pycache__ -o -name '*.egg-info' -o -name .pytest_cache -o -name .mypy_cache \) -prune -exec rm -rf {} +
# Modes as a umask of 022 leaves them, whatever this user's is.
chmod -R u=rwX,go=rX "$tree"
if (($# > 0)); then
    # The same entry under another version.
    sed -i "1s/(.*)/($version)/" "$tree/debian/changelog"
fi

# The time in the packages is that of the last change, so that the same sources make the same packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)}
export SOURCE_DATE_EPOCH
log=$out/build.log
if ! (
    cd "$tree"
    # CMake's release preset makes no debug information, so that there is none to be split off.
    env -u MAKEFLAGS -u MAKELEVEL -u MAKEOVERRIDES LC_ALL=C.UTF-8 LIVELOGD_BIN="$program" \
        PATH="/usr/bin:/bin:/usr/sbin:/sbin" \
        DEB_BUILD_PROFILES="pkg.livelogd.prebuilt" DEB_BUILD_OPTIONS="noautodbgsym nocheck" \
        dpkg-buildpackage --build=binary --no-sign --post-clean
) >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "the packages could not be built; $log has all of it."
fi
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
mv "$out"/tree/*.deb "$out"/tree/*.changes "$out"/tree/*.buildinfo "$out/"
rm -rf "$out/tree"
(cd "$out" && ls -1s --block-size=1K -- *.deb) | awk '{ printf "  %s/%s (%d KiB)\n", "'"$out"'", $2, $1 }'
