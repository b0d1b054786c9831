#!/usr/bin/env bash
# Runs the binary as a CPU of 2013 would: Haswell has AVX2, FMA and F16C and nothing newer. check_haswell.sh path/to/atelier
#
# Under qemu's user-mode emulation `doctor` must choose avx2, and `tokenize` and `logits` must print what the avx2 kernels print on the
# real CPU, to the last bit.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly atelier="${1:?usage: check_haswell.sh path/to/atelier}"
readonly tiny=tests/golden/models/smollm2

# qemu warns of system features that it does not emulate; no program uses those.
haswell() { qemu-x86_64 -cpu Haswell "$atelier" "$@" 2> >(grep -v "TCG doesn't support requested feature" >&2); }
fail() { echo "haswell: error: $*" >&2; exit 1; }

# same ARGUMENTS...: the emulated Haswell and the real CPU held to avx2 print the same.
same() {
  cmp <(haswell "$@") <(ATELIER_ISA=avx2 "$atelier" "$@") || fail "atelier $* differs between qemu's Haswell and avx2 on this CPU"
}

haswell doctor --quick --json | grep -q '"isa": *"avx2"' || fail "doctor does not choose avx2"
same logits "$tiny" --ids 1,17,45 --json
same tokenize smollm2-135m-instruct "The quick brown fox jumps over the lazy dog." --json
same logits smollm2-135m-instruct --ids 504,3575,282 --json
echo "haswell: doctor, tokenize and logits run on AVX2 alone, with the same bits"
