#!/usr/bin/env bash
# Tries what make_dist.sh packed, each in a Debian 12 root that has no compiler: check_dist.sh OUTPUT_DIR
#
# The tarball is unpacked in two places and must run without any package; the .deb is installed with apt, which brings its Depends.
# With SmolLM2 in the model store, each also turns text into ids and ids into logits.
set -euo pipefail
source "$(dirname "$0")/debian_root.sh"
readonly output_dir="${1:?usage: check_dist.sh OUTPUT_DIR}"
readonly model="${ATELIER_HOME:-$HOME/.local/share/atelier}/models/smollm2-135m-instruct"
readonly work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
readonly root="$work/root"

make_root "$root"
mkdir -p "$root/models" "$root/opt/first" "$root/opt/elsewhere/second"
cp -r "$model" "$root/models/"

# try_binary PATH: the words that need no network, on the model if there is one.
try_binary() {
  in_root "$root" "$1" --version
  in_root "$root" "$1" doctor --quick >/dev/null
  in_root "$root" env ATELIER_HOME=/ "$1" tokenize smollm2-135m-instruct "The quick brown fox" >/dev/null
  in_root "$root" env ATELIER_HOME=/ "$1" generate smollm2-135m-instruct --prompt "The capital of France is" --max-tokens 8 >/dev/null
}

in_root "$root" sh -c '! command -v c++ g++ gcc cc clang python3 perl5 cmake >/dev/null' ||
  { echo "check_dist: error: the trial root has a compiler; it proves nothing" >&2; exit 1; }
for place in opt/first opt/elsewhere/second; do
  tar -xzf "$output_dir"/atelier-*-linux-*.tar.gz -C "$root/$place" --strip-components=1
  try_binary "/$place/bin/atelier"
done
echo "check_dist: the tarball runs in two places"

cp "$output_dir"/atelier_*.deb "$root/atelier.deb"
in_root "$root" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /atelier.deb' >"$work/apt.log" 2>&1 ||
  { tail -5 "$work/apt.log" >&2; exit 1; }
try_binary /usr/bin/atelier
in_root "$root" sh -c 'apt-get remove -y atelier && ! command -v atelier' >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; exit 1; }
echo "check_dist: the .deb installs, runs and goes again"
