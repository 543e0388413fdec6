#!/bin/sh
# Builds the peer programs of the interop stage: clients and servers of echo.proto made with ttrpc libraries that others
# wrote, containerd's Go library and the Rust crate, both from Debian's packages and without any other download; and two
# in C that behave like containerd's Go library 1.2.3, which Debian does not have.
#
# Usage: Tests/Interop/peers.sh [FOLDER]
# Installs with apt-get what is missing, builds into FOLDER (default: .build-interop at the top of the tree) and prints
# the paths of the six programs, one a line: go-client, go-server, rust-client, rust-server, c-client, c-server.
# Everything else that is said goes to stderr. Called by run.sh; each program takes the path of a Unix socket, c-client
# after the word echo or twind.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../.build-interop}
mkdir -p "$build"
build=$(cd "$build" && pwd)

has_package() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

install_missing() {
  missing=
  command -v go >/dev/null || missing="$missing golang-go"
  command -v cargo >/dev/null || missing="$missing cargo"
  command -v cc >/dev/null || missing="$missing gcc"
  for package in golang-github-containerd-ttrpc-dev librust-ttrpc-dev libprotobuf-c-dev; do
    has_package "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  root=
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root apt-get update -q
  # The list is words on purpose.
  # shellcheck disable=SC2086
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# The folder of the installed package $1 whose path ends in the pattern $2.
package_folder() {
  folder=$(dpkg -L "$1" | grep -E "$2\$" | head -n 1)
  [ -n "$folder" ] || { echo "peers.sh: package $1 has no folder $2; reinstall it" >&2; exit 1; }
  echo "$folder"
}

build_go() {
  library=$(package_folder golang-github-containerd-ttrpc-dev /src/github.com/containerd/ttrpc)
  # Debian keeps Go sources as one GOPATH tree, and Go finds them there only with modules off.
  export GO111MODULE=off GOPATH="${library%/src/*}" GOFLAGS= GOCACHE="$build/go-cache"
  for program in client server; do
    (cd "$here/go" && go build -o "$build/go-$program" "./$program")
  done
}

build_rust() {
  crate=$(package_folder librust-ttrpc-dev '/ttrpc-[0-9.]+')
  # Cargo writes its lock file beside Cargo.toml, so it works on a copy; -p keeps times and with them its cache.
  rm -rf "$build/rust"
  cp -p "$here/echo.proto" "$build/"
  cp -Rp "$here/rust" "$build/"
  cargo build --quiet --offline --manifest-path "$build/rust/Cargo.toml" --target-dir "$build/rust-target" \
    --config 'source.crates-io.replace-with="debian"' \
    --config "source.debian.directory=\"$(dirname "$crate")\""
  for program in client server; do
    cp "$build/rust-target/debug/$program" "$build/rust-$program"
  done
}

build_c() {
  sources=$here/../../Sources
  set -- -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g -Wall -Wextra -Werror -pthread \
    -I"$here/CInteropProto/include" -I"$sources/CTTRPCProto/include" -I"$sources/CTwindProto/include" \
    "$here/CInteropProto/echo.pb-c.c" "$sources/CTTRPCProto/ttrpc/ttrpc.pb-c.c" "$here/C/frame.c"
  cc "$@" "$here"/C/client/*.c "$sources/CTwindProto/twind/v1/twin.pb-c.c" \
    "$sources/CTwindProto/twind/v1/twin_service.pb-c.c" -lprotobuf-c -o "$build/c-client"
  cc "$@" "$here"/C/server/*.c -lprotobuf-c -o "$build/c-server"
}

{
  install_missing
  build_go
  build_rust
  build_c
} >&2
for program in go-client go-server rust-client rust-server c-client c-server; do
  echo "$build/$program"
done
