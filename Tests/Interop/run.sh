#!/usr/bin/env bash
# Runs everyone's ttrpc clients against everyone's servers, where one side is ours: containerd's Go library and the Rust
# crate, from Debian's packages, and a client and a server in C that behave like a later Go library, which has streams.
# Called by Tests/run.sh; prints one line for each pair and fails with the first that does.
#
# Our programs are built, or taken from $TWIND_BIN_DIR when that is set.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t peers < <(Tests/Interop/peers.sh)
go_client=${peers[0]} go_server=${peers[1]} rust_client=${peers[2]} rust_server=${peers[3]} c_client=${peers[4]}
c_server=${peers[5]}
binaries=${TWIND_BIN_DIR:-.build/release}
if [ -z "${TWIND_BIN_DIR:-}" ]; then
  for product in ttrpc-echo-server ttrpc-echo-client twind; do swift build -c release --product "$product"; done
fi
ours=$binaries/ttrpc-echo
work=$(mktemp -d)
server=
stop() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
trap 'stop; rm -rf "$work"' EXIT

twind() { # <socket>: everyone may do everything with twins that nobody needs
  exec env -u TWIND_BIN_DIR "$binaries/twind" serve --dev --socket "$1" --data-dir "$work/data"
}

pair() { # <what> <server program> <client command>...: {} stands for the socket
  local what=$1 program=$2 socket="$work/socket" log="$work/log"
  shift 2
  rm -f "$socket"
  "$program" "$socket" >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do [ -S "$socket" ] && grep -qE 'listening|serving' "$work/server.log" && break; sleep 0.05; done
  if timeout 120 "${@/\{\}/$socket}" >"$log" 2>&1; then
    printf '%-34s %s\n' "$what" "$(tail -n 1 "$log")"
  else
    printf '%-34s FAILED\n' "$what"
    cat "$log" "$work/server.log"
    exit 1
  fi
  stop
}

pair "Go client, our server" "$ours-server" "$go_client" {}
pair "Rust client, our server" "$ours-server" "$rust_client" {}
pair "C client, our server" "$ours-server" "$c_client" echo {}
pair "C client, twind" twind "$c_client" twind {}
pair "our client, our server" "$ours-server" "$ours-client" {} all
pair "our client, C server" "$c_server" "$ours-client" {} all
pair "our client, Go server" "$go_server" "$ours-client" {} unary
# The crate answers an unknown method with INVALID_ARGUMENT instead of UNIMPLEMENTED: that check is left out.
pair "our client, Rust server" "$rust_server" "$ours-client" {} unary known-faults
