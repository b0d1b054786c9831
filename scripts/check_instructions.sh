#!/usr/bin/env bash
# The main kernels execute no more instructions than they used to: a guard of their speed that other work on the machine cannot disturb.
#
#   scripts/check_instructions.sh BUILD [--renew]      BUILD holds instruction_count (bench/instruction_count.cc)
#
# valgrind counts the instructions of one call of each kernel of bench/instructions.tsv, with the AVX2 kernels (it knows no AVX-512) on one
# thread; the counts do not depend on the machine. More than 5 % above the table is a failure; --renew writes the table anew, for a change
# that is worth it.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly build="${1:?usage: check_instructions.sh BUILD [--renew]}" table=bench/instructions.tsv

count() {
  ATELIER_ISA=avx2 valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=counted "$build/instruction_count" "$1" 2>&1 |
    awk '/Collected :/ { print $NF }'
}

failed=0
renewed=""
while IFS=$'\t' read -r kernel expected; do
  counted="$(count "$kernel")"
  [[ "$counted" =~ ^[0-9]+$ ]] || { echo "check_instructions: error: $kernel: nothing was counted" >&2; exit 1; }
  renewed+="$kernel"$'\t'"$counted"$'\n'
  echo "check_instructions: $kernel: $counted instructions, $expected in the table"
  if ((counted * 100 > expected * 105)); then
    echo "check_instructions: error: $kernel: $counted instructions, at most 5 % above $expected; make it faster, or renew the table" >&2
    failed=1
  fi
done <"$table"
if [[ "${2:-}" == --renew ]]; then
  printf '%s' "$renewed" >"$table"
  exit 0
fi
exit "$failed"
