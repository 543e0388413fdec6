#!/usr/bin/env bash
# Runs everyone's ttrpc clients against everyone's servers, where one side is ours: containerd's Go library and the Rust
# crate, from Debian's packages. Called by Tests/run.sh; prints one line for each pair and fails with the first that does.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t peers < <(Tests/Interop/peers.sh)
go_client=${peers[0]} go_server=${peers[1]} rust_client=${peers[2]} rust_server=${peers[3]}
for product in ttrpc-echo-server ttrpc-echo-client; do swift build -c release --product "$product"; done
ours=.build/release/ttrpc-echo
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

pair() { # <what> <server program> <client command>...: {} stands for the socket
  local what=$1 program=$2 socket="$work/socket" log="$work/log"
  shift 2
  rm -f "$socket"
  "$program" "$socket" >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do [ -S "$socket" ] && grep -q listening "$work/server.log" && break; sleep 0.05; done
  if timeout 120 "${@/\{\}/$socket}" >"$log" 2>&1; then
    printf '%-34s %s\n' "$what" "$(tail -n 1 "$log")"
  else
    printf '%-34s FAILED\n' "$what"
    cat "$log" "$work/server.log"
    exit 1
  fi
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}

pair "Go client, our server" "$ours-server" "$go_client" {}
pair "Rust client, our server" "$ours-server" "$rust_client" {}
pair "our client, our server" "$ours-server" "$ours-client" {} all
pair "our client, Go server" "$go_server" "$ours-client" {} unary
# The crate answers an unknown method with INVALID_ARGUMENT instead of UNIMPLEMENTED: that check is left out.
pair "our client, Rust server" "$rust_server" "$ours-client" {} unary known-faults
