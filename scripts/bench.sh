#!/usr/bin/env bash
# npm run bench [-- MACHINES]: sets up what is missing, then see test/bench/bench.mjs.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh bench
exec node test/bench/bench.mjs "$@"
