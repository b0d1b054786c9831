#!/usr/bin/env bash
# The binary as a process: exit statuses, streams, signals. Usage: cli.sh PATH/TO/atelier
# What a command line does inside the process is tested in atelier/cli/run_test.cc.
set -u
readonly atelier="$1"
readonly root="$(cd "$(dirname "$0")/../.." && pwd)"
readonly model="$root/tests/golden/models/smollm2"
readonly work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# expect STATUS COMMAND...: runs it with stdout and stderr in files; an error must be one line in the house's form.
expect() {
  local want="$1" got
  shift
  "$@" >"$work/out" 2>"$work/err" </dev/null
  got=$?
  [[ $got == "$want" ]] || fail "$*: exit status $got, want $want; $(head -c 300 "$work/err")"
  if [[ $want != 0 ]]; then
    [[ $(grep -c . "$work/err") == 1 ]] || fail "$*: the error is $(grep -c . "$work/err") lines"
    grep -Eq '^atelier: error: [^:]+: .+; .+' "$work/err" || fail "$*: error line is $(cat "$work/err")"
  fi
}

mapfile -t verbs < <("$atelier" list verbs | awk -F'  +' '{print $1}')
((${#verbs[@]} > 0)) || fail "list verbs names none"
for verb in "${verbs[@]}"; do
  read -ra words <<<"$verb"  # "bench serve" has two
  expect 0 "$atelier" "${words[@]}" --help
  grep -q "Example:" "$work/out" || fail "$verb --help has no example"
  expect 2 "$atelier" "${words[@]}" --no-such-option
done
expect 0 "$atelier" --version
expect 2 "$atelier" caht
expect 1 "$atelier" inspect "$work/absent.gguf"
expect 1 "$atelier" inspect "$0"
expect 2 env ATELIER_ISA=pentium "$atelier" list samplers
expect 0 env ATELIER_ISA=scalar "$atelier" logits "$model" --ids 1,2 --json
expect 0 "$atelier" tokenize "$model" "Hello"

# A pipe in, and a full disk out.
[[ $(echo -n "Hello, world" | "$atelier" tokenize "$model" --count) -gt 0 ]] || fail "tokenize does not read stdin"
if [[ -w /dev/full ]]; then
  "$atelier" tokenize "$model" "Hello" >/dev/full 2>"$work/err"
  [[ $? == 1 ]] || fail "a full disk is not an error"
fi

# The same bits from one thread and from two.
"$atelier" logits "$model" --ids 1,2,3,4,5 --json --threads 1 >"$work/one"
"$atelier" logits "$model" --ids 1,2,3,4,5 --json --threads 2 >"$work/two"
cmp -s "$work/one" "$work/two" || fail "logits differ between one thread and two"

# Ctrl-C ends a generation: what was said stands there, and the status is 0. (In a script background jobs ignore SIGINT; SIGTERM is
# handled alike.)
"$atelier" generate "$model" --prompt "Hello" --ignore-eos --context 1000000 --json >"$work/out" 2>"$work/err" &
pid=$!
sleep 2
kill -TERM "$pid" 2>/dev/null
wait "$pid"
[[ $? == 0 ]] || fail "generate does not end cleanly on a signal: $(cat "$work/err")"
grep -q '"finish_reason": *"cancelled"' "$work/out" || fail "generate ended by a signal prints $(head -c 200 "$work/out")"

[[ $failures == 0 ]] && echo "e2e: all checks passed"
exit $((failures > 0))
