#!/usr/bin/env bash
# Installs a build into an empty prefix, builds tests/install and examples/ against it with find_package, and runs them.
# check_install.sh BUILD_DIR
set -euo pipefail
readonly source_dir="$(cd "$(dirname "$0")/.." && pwd)"
readonly build_dir="${1:?usage: check_install.sh BUILD_DIR}"
readonly work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cmake --install "$build_dir" --prefix "$work/prefix" >/dev/null
for project in tests/install examples; do
  cmake -S "$source_dir/$project" -B "$work/$project" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" --log-level=WARNING >/dev/null
  cmake --build "$work/$project" >"$work/log" || { cat "$work/log"; exit 1; }
done
"$work/tests/install/consumer"

readonly model="${ATELIER_HOME:-$HOME/.local/share/atelier}/models/smollm2-135m-instruct/model.gguf"
if [[ ! -f "$model" ]]; then
  echo "check_install: the examples were built but not run: $model is missing; scripts/fetch_models.sh smollm2-135m-instruct brings it"
  exit 0
fi
# expect NAME TEXT: the example's output on the demo's model holds TEXT.
expect() {
  local output
  output="$("$work/examples/$1" "$model")" || { echo "check_install: error: example $1 failed" >&2; exit 1; }
  grep -qF -- "$2" <<<"$output" || { echo "check_install: error: example $1 printed no \"$2\" but: $output" >&2; exit 1; }
  echo "example $1: ok"
}
expect tokenize "back to text: The atelier opens at nine o'clock."
expect logits '" Paris"'
expect generate "hotosynthesis"
expect engine "The capital of France is Paris"
