#!/bin/sh
# A copy of the folder, without the repository around it, builds and installs; then examples compile against it through
# pkg-config alone, as C and as C++.
#   test_install.sh <cmake> <folder>
set -eu
cmake=$1 folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/copy prefix=$work/prefix

mkdir "$copy"
tar -C "$folder" --exclude='./build*' -cf - . | tar -C "$copy" -xf -
{
  "$cmake" -S "$copy" -B "$copy/build" -DBUILD_TESTING=OFF &&
    "$cmake" --build "$copy/build" -j2 && "$cmake" --install "$copy/build" --prefix "$prefix"
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name twind.pc)")
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir twind)
cd "$copy/examples"
# shellcheck disable=SC2046
{
  cc -std=c11 -Wall -Wextra -Werror -pedantic quickstart.c -o "$work/c" $(pkg-config --cflags --libs twind)
  cc -std=c11 -Wall -Wextra -Werror -pedantic history.c -o "$work/history" $(pkg-config --cflags --libs twind)
  c++ -x c++ -Wall -Wextra -Werror -pedantic quickstart.c -o "$work/c++" $(pkg-config --cflags --libs twind)
  # The static library serves as well.
  cc -std=c11 quickstart.c -o "$work/static" $(pkg-config --cflags twind) "$library/libtwind.a" \
    $(pkg-config --libs libprotobuf-c) -pthread
}

# Without a daemon each must start, and say where it looked.
for program in c c++ static history; do
  said=$(LD_LIBRARY_PATH=$library TWIND_SOCKET="$work/none.sock" "$work/$program" 2>&1) && {
    echo "$program succeeded without a daemon"
    exit 1
  }
  case $said in
  *UNAVAILABLE*"$work/none.sock"*) ;;
  *) echo "$program: unexpected: $said"; exit 1 ;;
  esac
done

# Only the API leaves the library.
foreign=$(nm -D --defined-only "$library/libtwind.so" | awk '{print $3}' |
  grep -Ev '^(twind_|twind__v1__|grpc__health__v1__|__bss_start$|_edata$|_end$)' || true)
[ -z "$foreign" ] || { echo "exported, but not of the API: $foreign"; exit 1; }
objdump -p "$library/libtwind.so" | grep -q 'SONAME *libtwind.so.0' || { echo "libtwind.so has no soname"; exit 1; }
