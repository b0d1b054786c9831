#!/usr/bin/env bash
# Damaged input through every reader, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/fuzz.sh [MUTANTS] [SEED]      10000 in CI (about two minutes on two cores), 1000000 in `make soak`
#
# The same numbers give the same mutants. A failure keeps its input in BUILD/fuzz-NAME.bin and says how to make it again. Above
# 100000 mutants the build is an optimised one, and the demo's model is patched in place as well.
set -euo pipefail
cd "$(dirname "$0")/.."
mutants=${1:-10000}
seed=${2:-1}
build=build/asan
options=()
if (( mutants > 100000 )); then
  build=build/soak
  options=(-DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g1")
fi

# Target, share of the mutants in percent, seeds.
targets() {
  echo gguf 22 tests/golden/format/{single,aligned,split-00001-of-00003}.gguf
  echo http 6 tests/fuzz/corpus/http
  echo safetensors 12 tests/golden/format/{single,sharded/model-00001-of-00002}.safetensors
  echo tool_call 2 tests/fuzz/corpus/tool_call
  echo config 8 tests/golden/models/*/config*.json
  echo tokenizer_json 13 tests/fuzz/corpus/tokenizer_json
  echo sentencepiece 10 tests/fuzz/corpus/sentencepiece
  echo chat_template 12 tests/fuzz/corpus/chat_template
  echo model 5 tests/fuzz/corpus/model
  echo prefix_cache 3 tests/fuzz/corpus/prefix_cache
  echo grammar 2 tests/fuzz/corpus/grammar
  echo task_records 2 tests/fuzz/corpus/task_records
  echo folder 3 tests/fuzz/corpus/folder
  if [[ $build == build/soak ]]; then
    echo patches 0.02 tests/fuzz/corpus/patches
  fi
}

run_target() {
  local name=$1 share=$2
  shift 2
  OMP_NUM_THREADS=1 "$build/tests/fuzz/fuzz_$name" --runs "$(awk -v n="$mutants" -v share="$share" 'BEGIN { printf "%d", n * share / 100 }')" --seed "$seed" --failure "$build/fuzz-$name.bin" "$@" \
    | sed "s/^fuzz:/fuzz_$name:/"
}

cmake --preset asan -B "$build" --log-level=WARNING -DATELIER_BUILD_FUZZERS=ON "${options[@]}"
cmake --build "$build" --parallel "$(nproc)" --target fuzzers
export -f run_target
export ATELIER_FUZZ_MODEL="${ATELIER_HOME:-$HOME/.local/share/atelier}/models/smollm2-135m-instruct/model.gguf"
export build mutants seed
targets | xargs --max-lines=1 --max-procs="$(nproc)" bash -euo pipefail -c 'run_target "$@"' fuzz
