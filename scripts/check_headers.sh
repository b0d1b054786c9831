#!/usr/bin/env bash
# Compiles every header of atelier/ alone, as g++ -fsyntax-only sees it: a header includes what it uses. check_headers.sh [BUILD_DIR]
#
# Every instruction set is switched on, since nothing is run. Debian's libraries are on the default path.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly flags=(-std=c++20 -fsyntax-only -fopenmp -mavx2 -mfma -mf16c -mavxvnni -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16
  -Wall -Wextra -Werror -I. -x c++)
export CHECK_FLAGS="${flags[*]}"

# shellcheck disable=SC2016  # $1 and CHECK_FLAGS belong to the inner shell
find atelier -name '*.h' -print0 | sort -z |
  xargs -0 -P "$(nproc)" -I{} bash -c 'printf "#include \"%s\"\n" "$1" | g++ $CHECK_FLAGS - || { echo "headers: $1 does not compile alone"; exit 1; }' _ {} ||
  { echo "headers: error: a header does not stand alone, see above; add the includes it needs" >&2; exit 1; }
echo "headers: $(find atelier -name '*.h' | wc -l) compile alone"
