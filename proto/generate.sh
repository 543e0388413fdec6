#!/usr/bin/env bash
# Regenerates everything that is generated from proto/: C messages, Swift routes, the C method table, Python
# messages and stubs. Needs protoc-c 1.4.1, protoc 3.21 and Python's protobuf package.
#   proto/generate.sh          writes into the tree
#   proto/generate.sh DIR      writes into the absolute folder DIR instead, laid out like the tree
set -euo pipefail
proto=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$proto")
root=${1:-$tree}
python=${PYTHON:-$tree/.build-python/bin/python}
[ -x "$python" ] || { python3 -m venv "$tree/.build-python" && "$tree/.build-python/bin/pip" install -q protobuf; }

c_out() { # <target> <proto>...: sources beside include/, headers in it
  local target="$root/Sources/$1"
  shift
  mkdir -p "$target/include"
  (cd "$proto" && protoc-c -I. --c_out="$target/include" "$@")
  (cd "$target/include" && find . -name '*.pb-c.c') | while read -r source; do
    mkdir -p "$target/$(dirname "$source")"
    mv "$target/include/$source" "$target/$source"
  done
}

plugin() { # <language> <output folder> <proto>...
  local language=$1 out=$2
  shift 2
  mkdir -p "$out"
  (cd "$proto" && TWIND_PYTHON="$python" protoc -I. --plugin=protoc-gen-twind="$tree/proto/plugin/protoc-gen-twind" \
    --twind_out="$language:$out" "$@")
}

ttrpc=(ttrpc/ttrpc.proto grpc/health/v1/health.proto)
twind=(twind/v1/twin.proto twind/v1/errors.proto twind/v1/twin_service.proto twind/v1/admin_service.proto)
store=(twind/store/v1/store.proto)
# Of the tests, in Tests/Interop.
interop=(echo.proto nesting.proto)

c_out CTTRPCProto "${ttrpc[@]}"
c_out CTwindProto "${twind[@]}" "${store[@]}"

plugin swift "$root/Sources/TTRPC/Generated" "${ttrpc[@]}"
plugin swift "$root/Sources/TwinRoutes" "${twind[@]}" "${store[@]}"
(proto="$tree/Tests/Interop" && c_out ../Tests/Interop/CInteropProto "${interop[@]}" &&
  plugin swift "$root/Tests/Interop/Swift/Routes" "${interop[@]}")
swift format --in-place "$root/Sources/TTRPC/Generated" "$root/Sources/TwinRoutes" "$root/Tests/Interop/Swift/Routes" --recursive --configuration "$tree/.swift-format"
plugin c "$root/clients/c/generated" "${twind[@]}" grpc/health/v1/health.proto

messages="$root/clients/python/src/twind/_generated"
rm -rf "$messages"
mkdir -p "$messages"
(cd "$proto" && protoc -I. --python_out="$messages" --pyi_out="$messages" "${ttrpc[@]}" "${twind[@]}")
plugin python "$messages" "${twind[@]}" grpc/health/v1/health.proto
find "$messages" -type d -exec touch {}/__init__.py ';'
# protoc writes imports as if its output stood at the top of sys.path, where it would take the names twind, ttrpc
# and grpc, and registers messages in the pool that all of a process shares, where a second
# grpc/health/v1/health.proto (grpcio-health-checking has one) is an error. So all of it moves below
# twind._generated and into a pool of its own. Its .pyi files know no type arguments; mypy is told to bear that.
find "$messages" -name '*_pb2.py*' -exec sed -i -E \
  -e 's/^from (twind|ttrpc|grpc)\b/from twind._generated.\1/' \
  -e "s/(BuildTopDescriptorsAndMessages\(DESCRIPTOR, ')/\1twind._generated./" \
  -e 's/^from google.protobuf import descriptor_pool as/from twind import _pool as/' {} +
find "$messages" -name '*_pb2.pyi' -exec sed -i '1i # mypy: disable-error-code="type-arg,var-annotated"' {} +
