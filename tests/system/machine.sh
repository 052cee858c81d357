#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Boots a throw-away machine with a real systemd and runs a command in it, as root.
#
#   tests/system/machine.sh host|bare FOLDER COMMAND [ARGUMENT...]
#
# The machine is a systemd-nspawn container without network, its root an overlay in memory: nothing that happens in it
# reaches this machine. `host`: over this machine's own root, which costs nothing to make. `bare`: over a bare Debian 12 made
# once by debootstrap (a minute, 400 MB, in build/system). In it /src is this source tree, read only, and /out is FOLDER.
# Ends with the command's exit code; with 77, after a sentence why, where this cannot be done.
set -euo pipefail
cd "$(dirname "$0")/../.."
source packaging/lib.sh

(($# >= 3)) || die --code=64 "usage: $0 host|bare FOLDER COMMAND..."
base=$1
out=$(realpath "$2")
shift 2

cannot() { printf 'skipped: %s\n' "$*" >&2; exit 77; }
((EUID == 0)) || cannot "booting a machine needs root"
command -v systemd-nspawn >/dev/null || cannot "systemd-nspawn is missing (packaging/install-deps.sh system)"
[[ -x /lib/systemd/systemd ]] || cannot "systemd is missing (packaging/install-deps.sh system)"

case $base in
    host) lower=/ ;;
    bare)
        lower=$PWD/build/system/bookworm
        if [[ ! -e $lower.made ]]; then
            command -v debootstrap >/dev/null || cannot "debootstrap is missing (packaging/install-deps.sh system)"
            say "Making a bare Debian 12 in build/system, once"
            rm -rf "$lower"
            mkdir -p "$lower"
            if ! debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,python3,python3-pytest bookworm \
                "$lower" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >build/system/debootstrap.log 2>&1; then
                tail -n 5 build/system/debootstrap.log >&2
                cannot "debootstrap failed: see build/system/debootstrap.log"
            fi
            touch "$lower.made"
        fi
        # What the packages depend on is put there beforehand: the machine has no network.
        mapfile -t needed < <(for deb in build/deb/*.deb; do dpkg-deb --field "$deb" Depends; done |
            tr ',' '\n' | sed -E 's/^ +//; s/[ (|:].*$//' | grep -v '^livelogd$' | sort -u)
        if [[ $(cat "$lower.made") != "${needed[*]}" ]]; then
            chroot "$lower" apt-get update -qq >build/system/update.log 2>&1 </dev/null || true
            chroot "$lower" apt-get install --yes --no-install-recommends "${needed[@]}" \
                >build/system/depends.log 2>&1 </dev/null ||
                cannot "what the packages depend on could not be installed: see build/system/depends.log"
            rm -f "$lower"/var/cache/apt/archives/*.deb
            echo "${needed[*]}" >"$lower.made"
        fi
        ;;
    *) die --code=64 "host or bare, not $base" ;;
esac

room=$(mktemp -d /tmp/livelogd-machine.XXXXXX)
clean_up() {
    umount -l "$room/root" 2>/dev/null || true
    umount -l "$room" 2>/dev/null || true
    rmdir "$room" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM
mount -t tmpfs -o mode=755 livelogd-machine "$room" 2>/dev/null || cannot "no tmpfs can be mounted here"
mkdir "$room"/{upper,work,root}
mount -t overlay livelogd-machine -o "lowerdir=$lower,upperdir=$room/upper,workdir=$room/work" "$room/root" 2>/dev/null ||
    cannot "no overlay can be mounted here"

# The command is a unit of the machine: started when it is up, and its end is the machine's.
root=$room/root
units=$root/etc/systemd/system
mkdir -p "$root/src" "$root/out" "$units/multi-user.target.wants"
rm -f "$units"/*.target.wants/livelogd* "$units/default.target"   # whatever this machine itself has installed
ln -s /lib/systemd/system/multi-user.target "$units/default.target"
printf '%q ' "$@" >"$root/root/command"
cat >"$units/livelogd-test.service" <<'UNIT'
[Unit]
After=basic.target dbus.service
[Service]
Type=oneshot
WorkingDirectory=/src
Environment=PYTHONDONTWRITEBYTECODE=1 LIVELOGD_MACHINE=1 HOME=/root LC_ALL=C.UTF-8 SYSTEMD_PAGER=
ExecStart=/bin/bash -c 'bash /root/command >/out/command.log 2>&1; echo $$? >/out/code'
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
ln -s ../livelogd-test.service "$units/multi-user.target.wants/livelogd-test.service"
# What has no business in it, starts slowly, or fails without hardware.
for unit in systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service \
    systemd-resolved.service systemd-networkd.service networking.service ssh.service cron.service man-db.timer; do
    ln -sf /dev/null "$units/$unit"
done

rm -f "$out/code"
timeout --kill-after=5 "${MACHINE_SECONDS:-600}" systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --boot \
    --private-network --bind-ro="$PWD:/src" --bind="$out:/out" </dev/null >"$out/boot.log" 2>&1 || true
if [[ ! -s $out/code ]]; then
    tail -n 30 "$out/boot.log" >&2
    cat "$out/command.log" >&2 2>/dev/null || true
    die "the machine did not come to the end of the command."
fi
cat "$out/command.log"
exit "$(cat "$out/code")"
