#!/bin/sh
# The examples do what they should with a daemon: quickstart.c as C and as C++, and history.c.
#   test_examples.sh <folder> <build folder>; the daemon is $TWIND, else that of the repository's release build
set -eu
folder=$1 build=$2
twind=${TWIND:-$folder/../../.build/release/twind}
work=$(mktemp -d)
"$twind" serve --socket "$work/s" --data-dir "$work/data" --dev >"$work/log" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon 2>/dev/null || true; rm -rf "$work"' EXIT

# shellcheck disable=SC2046
c++ -x c++ -Wall -Wextra -Werror -pedantic "$folder/examples/quickstart.c" -o "$work/c++" \
  -I"$folder/include" -I"$folder/generated" -L"$build" -ltwind $(pkg-config --cflags --libs libprotobuf-c)

tries=0
while [ ! -S "$work/s" ]; do
  tries=$((tries + 1))
  [ $tries -lt 150 ] || { cat "$work/log"; exit 1; }
  sleep 0.1
done
export TWIND_SOCKET="$work/s" LD_LIBRARY_PATH="$build"

expect() { # <program> <line that it must print>...
  program=$1
  shift
  said=$("$program") || { echo "$program failed: $said"; exit 1; }
  for line; do
    echo "$said" | grep -qxF -- "$line" || { echo "$program does not say \"$line\" but: $said"; exit 1; }
  done
}

expect "$build/quickstart" '  email = ada@example.com' '  orders = 1'
expect "$work/c++" '  email = ada@example.com' '  orders = 2' 'a regular customer'
expect "$build/history" 'now: pro' 'yesterday: basic'
