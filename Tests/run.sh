#!/usr/bin/env bash
# Installs what the tests need and runs all of them, or the stages named:
#
#   Tests/run.sh                  everything
#   Tests/run.sh unit python      single stages
#
# Stages: tidy unit c python interop fuzz sim system. Two builds are made: release (product, system tests) and debug with
# ThreadSanitizer (all Swift unit tests). The unit tests run beside the others; the system tests, which measure, run alone.
# Prints the minutes that each stage took, and fails past its budget.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
budget_minutes=35
all=(tidy unit c python interop fuzz sim system)
stages=("${@:-${all[@]}}")

for stage in "${stages[@]}"; do
  [[ " ${all[*]} " == *" $stage "* ]] || { echo "run.sh: unknown stage $stage: choose from ${all[*]}" >&2; exit 2; }
done

minutes() { echo "$(($1 / 60)).$(($1 % 60 / 6))"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_debian() { # <package>...: those that are missing
  local missing=()
  for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

ensure_python() { # one virtual environment for the plugin, the client and the system tests
  [ -x .build-python/bin/python ] || python3 -m venv .build-python
  .build-python/bin/pip install -q --disable-pip-version-check './clients/python[test]'
}

ensure_release() {
  for product in twind twinctl twinbench twind-simulate twind-hot-path; do swift build -c release --product "$product"; done
}

stage_tidy() {
  install_debian protobuf-c-compiler protobuf-compiler
  ensure_python
  .build-python/bin/python -m pytest -q Tests/TidyTests
}

# One after the other: tests that wait on threads would otherwise take the two that Swift concurrency has, and starve
# the tests that need them. In a directory of its own: one build does not wait for the other.
stage_unit() { swift test --no-parallel --sanitize=thread --scratch-path .build-tsan; }

stage_c() {
  install_debian cmake pkg-config
  ensure_release
  TWIND="$root/.build/release/twind" clients/c/tests/run.sh
}

stage_python() {
  ensure_python
  ensure_release
  .build-python/bin/mypy --strict clients/python/src
  TWIND="$root/.build/release/twind" .build-python/bin/python -m pytest -q clients/python/tests
}

stage_interop() { Tests/Interop/run.sh; }

stage_fuzz() { swift run -c release twind-fuzz-frames; }

# A failing seed is named, and repeats exactly.
stage_sim() {
  swift build -c release --product twind-simulate
  local simulate=.build/release/twind-simulate
  "$simulate" disk --seeds 500
  "$simulate" journal --seeds 2000
  "$simulate" faults
  local store older
  for store in Tests/System/stores/*.tar.xz; do
    older=$(mktemp -d)
    tar xJf "$store" -C "$older"
    "$simulate" migration "$older"
    rm -r "$older"
  done
  "$simulate" run --seeds 2000
}

stage_system() {
  install_debian valgrind binutils faketime
  ensure_python
  ensure_release
  TWIND_BIN_DIR="$root/.build/release" .build-python/bin/python -m pytest -q Tests/System
}

install_debian libprotobuf-c-dev libsqlite3-dev python3-venv
summary=""
units="" # the process of the unit tests, while they run beside the others

run() { # <stage>
  local began=$SECONDS
  echo "== $1"
  "stage_$1"
  summary+=$(printf '%-8s %5.1f min' "$1" "$(minutes $((SECONDS - began)))")$'\n'
}

start_units() {
  set -m # in a process group, to be ended together
  stage_unit >.build-unit.log 2>&1 &
  units=$!
  set +m
  trap 'kill -- -"$units" 2>/dev/null || true' EXIT
}

await_units() {
  [ -n "$units" ] || return 0
  local status=0
  wait "$units" || status=$?
  trap - EXIT
  echo "== unit"
  cat .build-unit.log
  summary+=$(printf '%-8s %5.1f min beside the others' unit "$(minutes "$SECONDS")")$'\n'
  units=""
  return "$status"
}

if [[ " ${stages[*]} " == *" unit "* ]]; then start_units; fi
for stage in "${stages[@]}"; do
  case $stage in
    unit) ;;
    system)
      await_units
      run system
      ;;
    *) run "$stage" ;;
  esac
done
await_units
printf '\n%s%-8s %5.1f min of %d\n' "$summary" total "$(minutes $SECONDS)" "$budget_minutes"
if [ "$SECONDS" -gt $((budget_minutes * 60)) ]; then
  echo "run.sh: over the budget of $budget_minutes minutes" >&2
  exit 1
fi
