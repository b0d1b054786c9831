#!/usr/bin/env bash
# clang-tidy 14 with the checks of .clang-tidy over every source: check_tidy.sh [FILE...]. Minutes on two cores, so not part of CI.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset dev --log-level=WARNING >/dev/null  # writes compile_commands.json
(($# > 0)) || mapfile -t -d '' files < <(find atelier -name '*.cc' ! -name '*_test.cc' -print0 | sort -z)
printf '%s\0' "${@:-${files[@]}}" | xargs -0 -P "$(nproc)" -n 4 clang-tidy-14 -p build/dev --quiet --warnings-as-errors='*' 2>/dev/null ||
  { echo "tidy: error: see above; correct it, or switch the check off in .clang-tidy with the reason" >&2; exit 1; }
echo "tidy: clean"
