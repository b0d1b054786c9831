#!/usr/bin/env bash
# The proof of a clean machine: a Debian 12 root with nothing but g++, make and git gets a clone of HEAD, runs `make demo` and `make test`,
# then both again without any network. Prints how long each took. check_clean_machine.sh
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/debian_root.sh
readonly work="$(mktemp -d)"
readonly root="$work/root"
trap 'rm -rf "$work"' EXIT

# timed NAME COMMAND...: runs it with its output in a log, and says how long it took or how it failed.
timed() {
  local name="$1" start=$SECONDS
  shift
  "$@" >"$work/$name.log" 2>&1 || { tail -40 "$work/$name.log"; echo "check_clean_machine: error: $name failed after $((SECONDS - start)) s" >&2; exit 1; }
  echo "check_clean_machine: $name took $((SECONDS - start)) s"
}

timed root make_root "$root" g++ make git
git clone --quiet . "$root/root/atelier"
timed demo in_root "$root" make -C /root/atelier demo
tail -12 "$work/demo.log"
timed test in_root "$root" make -C /root/atelier test
grep -E '^(100|[0-9]+)% tests passed' "$work/test.log"
timed demo-offline unshare --net bash -c "source scripts/debian_root.sh; in_root '$root' make -C /root/atelier demo"
timed test-offline unshare --net bash -c "source scripts/debian_root.sh; in_root '$root' make -C /root/atelier test"
