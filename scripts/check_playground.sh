#!/usr/bin/env bash
# Drives the playground in Chromium against a server with SmolLM2: check_playground.sh [BINARY]
# ATELIER_SCREENSHOTS=docs/images takes the documentation's pictures anew.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh models browser
scripts/fetch_models.sh smollm2-135m-instruct
export ATELIER_BINARY="$(realpath "${1:-build/release/atelier}")"
[[ -z "${ATELIER_SCREENSHOTS:-}" ]] || export ATELIER_SCREENSHOTS="$(realpath "$ATELIER_SCREENSHOTS")"
[[ -d web/node_modules/playwright-core ]] || { echo "check_playground: error: web/node_modules: missing; run scripts/check_web.sh first" >&2; exit 1; }
scripts/node.sh npm --prefix web run --silent playground
