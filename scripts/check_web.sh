#!/usr/bin/env bash
# The playground of web/: types, unit tests, and that the committed bundle is what its sources build to.
#   check_web.sh          checks
#   check_web.sh --fix    puts what is built in the place of the committed bundle
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "check_web: error: $*" >&2; exit 1; }
npm() { scripts/node.sh npm --prefix web "$@"; }

# npm ci begins by deleting what is there: only where the lock file has changed.
readonly installed=web/node_modules/.installed-from
cmp --silent web/package-lock.json "$installed" || { npm ci --no-audit --no-fund --loglevel=error && cp web/package-lock.json "$installed"; }

npm run --silent check
npm run --silent test
readonly built="$(mktemp -d)"
trap 'rm -rf "$built"' EXIT
npm run --silent build -- --outDir "$built" --emptyOutDir --logLevel warn
if [[ "${1:-}" == --fix ]]; then
  cp "$built/index.html" web/dist/index.html
elif ! cmp "$built/index.html" web/dist/index.html; then
  fail "web/dist/index.html is not what web/ builds to; run scripts/check_web.sh --fix and commit it"
fi
echo "check_web: the bundle is $(stat --format=%s web/dist/index.html) bytes"
