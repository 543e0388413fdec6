#!/usr/bin/env bash
# Builds and tests the C client three times over: as it is shipped (with the installation), under AddressSanitizer and
# UndefinedBehaviorSanitizer, and under ThreadSanitizer; each also against the daemon that $TWIND names (else the
# repository's release build). `Tests/run.sh c` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

run() { # <build folder> <sanitizers>
  echo "-- ${2:-plain}"
  cmake -B "$1" -DTWIND_SANITIZE="$2" >/dev/null
  cmake --build "$1" -j2 >/dev/null
  ctest --test-dir "$1" --output-on-failure --no-tests=error
}

run build ""
run build-sanitize address,undefined
run build-thread thread
