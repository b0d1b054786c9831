#!/usr/bin/env bash
# Checks that every header of atelier/ compiles alone: a header includes what it uses.
#
# A header whose source file includes it first is proven by the build. The others are compiled here, one by one, with every
# instruction set switched on, since nothing is run.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly flags=(-std=c++20 -fsyntax-only -mavx2 -mfma -mf16c -mavxvnni -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16
  -Wall -Wextra -Werror -I. -x c++)
export CHECK_FLAGS="${flags[*]}"

# proven_by_build HEADER: its .cc exists and includes it before anything else.
proven_by_build() {
  local source="${1%.h}.cc"
  [[ -f "$source" ]] && [[ "$(grep -m1 '^#include' "$source")" == "#include \"$1\"" ]]
}

total=0
alone=()
while read -r header; do
  total=$((total + 1))
  proven_by_build "$header" || alone+=("$header")
done < <(find atelier -name '*.h' ! -name emulated_intrinsics.h | sort)  # that one stands in for the intrinsics switched on here

# shellcheck disable=SC2016  # $1 and CHECK_FLAGS belong to the inner shell
printf '%s\0' "${alone[@]}" |
  xargs -0 -P "$(nproc)" -I{} bash -c 'printf "#include \"%s\"\n" "$1" | g++ $CHECK_FLAGS - || { echo "headers: $1 does not compile alone"; exit 1; }' _ {} ||
  { echo "headers: error: a header does not stand alone, see above; add the includes it needs" >&2; exit 1; }
echo "headers: $total stand alone, $((total - ${#alone[@]})) by the build and ${#alone[@]} compiled here"
