#!/usr/bin/env bash
# npm run deb [-- FOLDER]: makes a Debian package of the built tools, see scripts/deb.mjs.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh demo
exec node scripts/deb.mjs "$@"
