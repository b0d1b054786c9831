#!/usr/bin/env bash
# Installs the Debian packages that a task needs and that are missing: install_deps.sh GROUP...
#
#   build   compile the library, the binary and the tests      models  download models (scripts/fetch_models.sh)
#   checks  what .ci/run needs beyond that                     dist    make dist and its trial
#   tidy    make tidy                                          browser drive the playground (scripts/check_playground.sh)
#
# Nothing is done, and no network or root is needed, when all is there. sudo is used only by who is not root.
set -euo pipefail

declare -rA groups=(
  [build]="g++ cmake ninja-build libfmt-dev nlohmann-json3-dev libcli11-dev libicu-dev libyaml-cpp-dev zlib1g-dev libcurl4-openssl-dev libboost-dev libssl-dev libgtest-dev libsimde-dev"
  [models]="python3 python3-pip ca-certificates"
  [checks]="python3 python3-venv clang-format-14 qemu-user valgrind"
  [dist]="dpkg-dev patchelf debootstrap"
  [tidy]="clang-tidy-14"
  [browser]="chromium curl"
)

fail() { echo "install_deps: error: $*" >&2; exit 1; }

missing=()
(($# > 0)) || fail "no group named; choose from: ${!groups[*]}"
command -v dpkg-query >/dev/null || {
  echo "install_deps: not a Debian system; install these by hand if the build misses one:$(for g in "$@"; do echo -n " ${groups[$g]}"; done)" >&2
  exit 0
}
for group in "$@"; do
  [[ -v "groups[$group]" ]] || fail "$group: no such group; choose from: ${!groups[*]}"
  for package in ${groups[$group]}; do
    [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || missing+=("$package")
  done
done
((${#missing[@]} > 0)) || exit 0

sudo=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || fail "missing packages: ${missing[*]}; as root, run: apt-get install ${missing[*]}"
  sudo=(sudo)
fi
echo "install_deps: installing ${missing[*]}"
readonly log="$(mktemp)"
trap 'rm -f "$log"' EXIT
apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$log" 2>&1; }
# The lists that are there may do; they are renewed once when they do not.
apt install -y --no-install-recommends "${missing[@]}" ||
  { apt update && apt install -y --no-install-recommends "${missing[@]}"; } ||
  fail "missing packages: ${missing[*]}; apt-get says: $(grep -m1 '^E:' "$log"); connect to the network and run it again"
