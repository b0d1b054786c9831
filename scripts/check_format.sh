#!/usr/bin/env bash
# Checks the sources against .clang-format with clang-format 14; --fix rewrites them instead.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run -Werror)
[[ "${1:-}" == --fix ]] && mode=(-i)
git ls-files --cached --others --exclude-standard -z -- '*.h' '*.cc' | xargs -0 -n 20 -P "$(nproc)" clang-format-14 "${mode[@]}" ||
  { echo "format: error: run 'make format' and commit the result" >&2; exit 1; }
echo "format: clean"
