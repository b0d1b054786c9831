#!/usr/bin/env bash
# Real clients against `atelier serve` on SmolLM2: check_clients.sh ATELIER [FOLDER]. FOLDER keeps the clients' environment (build/clients).
set -euo pipefail
cd "$(dirname "$0")/.."
readonly atelier="${1:?usage: check_clients.sh ATELIER [FOLDER]}" folder="${2:-build/clients}" model=smollm2-135m-instruct
readonly pins="openai==2.16.0 litellm==1.83.0"
fail() { echo "check_clients: error: $*" >&2; exit 1; }
source scripts/server.sh

if [[ "$(cat "$folder/pins" 2>/dev/null)" != "$pins" ]]; then
  python3 -m venv "$folder" || fail "no virtual environment; run scripts/install_deps.sh checks"
  # shellcheck disable=SC2086  # one word a package
  "$folder/bin/pip" install --quiet --disable-pip-version-check $pins || fail "pip could not install $pins; connect to the network"
  echo "$pins" >"$folder/pins"
fi

# npm's from their lock file, with the playground's Node.
readonly node_clients="$folder/node"
if ! cmp --silent tests/clients/package-lock.json "$node_clients/installed-from"; then
  mkdir -p "$node_clients"
  cp tests/clients/package.json tests/clients/package-lock.json "$node_clients"
  scripts/node.sh npm --prefix "$node_clients" ci --ignore-scripts --no-audit --no-fund --loglevel=error || fail "npm could not install tests/clients/package-lock.json; connect to the network"
  cp tests/clients/package-lock.json "$node_clients/installed-from"
fi
cp tests/clients/*.mjs "$node_clients"

work="$(mktemp -d)"
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
start_server "$model" --context 2048 --access-log "$work/access"

for client in openai litellm; do
  "$folder/bin/python" "tests/clients/${client}_client.py" "$url" "$model" || fail "PyPI's $client; the server says: $(tail -3 "$work/err")"
done
for client in openai ollama langchain anthropic; do
  scripts/node.sh node "$node_clients/${client}_client.mjs" "$url" "$model" || fail "npm's $client; the server says: $(tail -3 "$work/err")"
done

stop_server
if grep -q '"status": 5' "$work/access"; then fail "a request failed: $(grep '"status": 5' "$work/access" | head -1)"; fi
echo "check_clients: all passed, $(wc -l <"$work/access") requests"
