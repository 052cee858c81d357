#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The daemon with the sample app beside it, until Ctrl-C or until one of them dies.
#
#   packaging/run.sh          starts them
#   packaging/run.sh check    only says whether their ports are free
#
#   PORT      the daemon's HTTP port (5000)        APP_PORT  the sample app's (5001)
#   LOG_DIR   where the log is kept (./logs)       QUIET=1   no traffic of the sample app's own
set -euo pipefail
cd "$(dirname "$0")/.."
source packaging/lib.sh

port=${PORT:-5000}
app_port=${APP_PORT:-5001}
log_dir=${LOG_DIR:-./logs}
daemon=build/release/livelogd

# $1 port, $2 what it is for, $3 the variable that chooses another.
check_port() {
    if ! [[ $1 =~ ^[0-9]{1,5}$ ]] || ((10#$1 < 1 || 10#$1 > 65535)); then
        die --code=64 "$3=$1 is not a port number."
    fi
    local holder
    holder=$("$python" packaging/port_holder.py "$1") || die --code=69 \
        "port $1, meant for $2, is taken$holder. Stop what uses it, or choose another: make run $3=$(($1 + 80))"
}
check_port "$port" "the daemon" PORT
check_port "$app_port" "the sample app" APP_PORT
[[ $port != "$app_port" ]] || die --code=64 "PORT and APP_PORT are both $port; they must differ."
# Before the build, so that nobody waits for it in vain.
if [[ ${1:-} == check ]]; then exit 0; fi
[[ -x $daemon ]] || die "$daemon is not built; make run does that first."

# The ingest socket stands in a folder of this user alone: clients trust no other. The path of a Unix socket holds
# at most 107 bytes, which a deep checkout can exceed.
run_dir=$PWD/build/run
temporary=
if ((${#run_dir} > 90)); then
    run_dir=$(mktemp -d)
    temporary=$run_dir
fi
mkdir -p "$run_dir"
chmod 700 "$run_dir"
export LIVELOGD_SOCKET=$run_dir/ingest.sock

# Both get a session of their own: the terminal's Ctrl-C then reaches this script alone, which stops the app before the
# daemon, so that the app's last records are stored.
daemon_pid=
app_pid=
stop_both() {
    local pid
    for pid in $app_pid $daemon_pid; do
        kill -TERM "$pid" 2>/dev/null || continue
        for _ in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [[ -z $temporary ]] || rm -rf "$temporary"
}
trap stop_both EXIT
stopped_by_user() { printf '\nStopping.\n'; exit 0; }
trap stopped_by_user INT TERM HUP

setsid "$daemon" --listen "127.0.0.1:$port" --log-dir "$log_dir" --socket "$LIVELOGD_SOCKET" &
daemon_pid=$!
for _ in {1..100}; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    if ! kill -0 "$daemon_pid" 2>/dev/null; then
        code=0
        wait "$daemon_pid" || code=$?
        daemon_pid=
        die --code="$((code ? code : 1))" "the daemon did not start (exit code $code); it tells why above."
    fi
    sleep 0.1
done

setsid "$python" protocol/python/examples/sample_app.py --port "$app_port" &
app_pid=$!

cat <<END

  the log, live     http://localhost:$port/api/v1/logs
  the sample app    http://localhost:$app_port/api/v1/models   (its records are what you see; QUIET=1 silences it)
  ask by hand       curl "http://localhost:$port/api/v1/logs/recent?lines=5" | jq .
  send to it        export LIVELOGD_SOCKET=$LIVELOGD_SOCKET
  stop              Ctrl-C

END

code=0
wait -n -p ended "$daemon_pid" "$app_pid" || code=$?
if [[ $ended == "$daemon_pid" ]]; then
    who="the daemon"; daemon_pid=
else
    who="the sample app"; app_pid=
fi
die --code="$((code ? code : 1))" "$who ended by itself (exit code $code); stopping the other."
