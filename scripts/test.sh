#!/usr/bin/env bash
# npm test [-- TIER [FILE…]]: sets up what is missing, then see scripts/test.mjs.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh "test${1:+-$1}"
exec node scripts/test.mjs "$@"
