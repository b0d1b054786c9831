#!/usr/bin/env bash
# Requests made from the served openapi.json, right and wrong ones, against a throw-away store with a tiny model: no 500, answers as described.
#
#   check_schemathesis.sh ATELIER [EXAMPLES] [FOLDER]     8 of each operation in CI; FOLDER keeps schemathesis' environment (build/schemathesis)
set -euo pipefail
cd "$(dirname "$0")/.."
readonly atelier="${1:?usage: check_schemathesis.sh ATELIER [EXAMPLES] [FOLDER]}" examples="${2:-8}" folder="${3:-build/schemathesis}"
readonly pins="schemathesis==4.32.5"
fail() { echo "check_schemathesis: error: $*" >&2; exit 1; }
source scripts/server.sh

if [[ "$(cat "$folder/pins" 2>/dev/null)" != "$pins" ]]; then
  python3 -m venv "$folder" || fail "no virtual environment; run scripts/install_deps.sh checks"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$pins" || fail "pip could not install $pins; connect to the network"
  echo "$pins" >"$folder/pins"
fi

work="$(mktemp -d)"
mkdir -p "$work/models"
cp -r tests/golden/models/smollm2 "$work/models/tiny"
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
ATELIER_HOME="$work" start_server tiny --threads 1

readonly schemathesis="$(realpath "$folder")/bin/schemathesis"
(cd "$work" && "$schemathesis" run "$url/openapi.json" --max-examples "$examples" --phases examples,fuzzing --seed 1 --no-color \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --suppress-health-check all --warnings off --request-timeout 60) >"$work/log" 2>&1 ||
  { tail -150 "$work/log" >&2; fail "see above; the server says: $(tail -3 "$work/err")"; }
stop_server
echo "check_schemathesis: $(grep -Eo '[0-9]+ generated.*|[0-9]+ passed.*' "$work/log" | tail -1)"
