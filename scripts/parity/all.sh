#!/usr/bin/env bash
# Everything that docs/parity.md states and llama.cpp is needed for, one JSON Lines file a script in build/parity-results. About an hour
# on two cores. usage: all.sh path/to/atelier
#
# $PEERS_PYTHON (default python3) has llama-cpp-python 0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON", gguf 0.19.0 and numpy 2.4.6.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly atelier="${1:?usage: all.sh path/to/atelier}" python="${PEERS_PYTHON:-python3}" results=build/parity-results
readonly store="${ATELIER_HOME:-$HOME/.local/share/atelier}/models" shared="${ATELIER_SHARED:-../shared}"
missed=0

# figures NAME SCRIPT ARGUMENTS...: runs a script; a bound that is not kept is counted, the rest goes on.
figures() {
  local name="$1" script="$2"
  shift 2
  echo "=== $name"
  "$python" "scripts/parity/$script" --atelier "$atelier" "$@" | tee "$results/$name.jsonl" || missed=$((missed + 1))
}

"$python" -c 'import llama_cpp, gguf, numpy' || { echo "parity: error: $python lacks the peers; see scripts/parity/all.sh" >&2; exit 1; }
mkdir -p "$results"
readonly smollm2="$store/smollm2-135m-instruct/model.gguf" widened="$results/smollm2-f32.gguf"
"$python" "$shared/peers/llama_tools.py" quantize "$smollm2" "$widened" F32

figures goldens goldens.py --peer
figures perplexity perplexity.py --peer
figures greedy greedy.py "$smollm2"
figures greedy-f32 greedy.py "$widened" --dtype f32 --near 0.01
figures quantizers quantizers.py
figures quantizers-random quantizers.py --random --windows 1
figures weight-types weight_types.py
figures invariance invariance.py
rm "$widened"
echo "=== scripts with a bound that is not kept: $missed"
exit $((missed > 0))
