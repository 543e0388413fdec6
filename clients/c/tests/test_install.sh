#!/bin/sh
# Installs into a temporary prefix and compiles the example against it through pkg-config alone.
#   test_install.sh <cmake> <build folder> <quickstart.c>
set -eu
cmake=$1 build=$2 example=$3
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

"$cmake" --install "$build" --prefix "$prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name twind.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror "$example" -o "$prefix/quickstart" $(pkg-config --cflags --libs twind)

library=$(pkg-config --variable=libdir twind)
# Without a daemon it must start, and say where it looked.
said=$(LD_LIBRARY_PATH=$library TWIND_SOCKET="$prefix/none.sock" "$prefix/quickstart" 2>&1) && {
  echo "the example succeeded without a daemon"
  exit 1
}
case $said in
*UNAVAILABLE*"$prefix/none.sock"*) ;;
*) echo "unexpected: $said"; exit 1 ;;
esac

# Only the API leaves the library.
foreign=$(nm -D --defined-only "$library/libtwind.so" | awk '{print $3}' |
  grep -Ev '^(twind_|twind__v1__|grpc__health__v1__|__bss_start$|_edata$|_end$)' || true)
[ -z "$foreign" ] || { echo "exported, but not of the API: $foreign"; exit 1; }
objdump -p "$library/libtwind.so" | grep -q 'SONAME *libtwind.so.0' || { echo "libtwind.so has no soname"; exit 1; }

# The static library serves as well.
cc -std=c11 "$example" -o "$prefix/static" $(pkg-config --cflags twind) "$library/libtwind.a" \
  $(pkg-config --libs libprotobuf-c) -pthread
said=$(TWIND_SOCKET="$prefix/none.sock" "$prefix/static" 2>&1) || true
case $said in *UNAVAILABLE*) ;; *) echo "static: unexpected: $said"; exit 1 ;; esac
