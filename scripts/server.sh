# A server for the length of a script; to be sourced. The script has $atelier, the binary, a folder $work and a function fail.
#
#   start_server OPTIONS...   serves on a free port: sets url, and server, its process; its words lie in $work/out and $work/err
#   stop_server               ends it and wants a clean end

start_server() {
  : >"$work/out"
  "$atelier" serve "$@" --port 0 --json >"$work/out" 2>"$work/err" &
  server=$!
  for _ in $(seq 300); do
    [[ -s "$work/out" ]] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  url="$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$work/out")"
  [[ -n $url ]] || fail "serve $* does not start: $(cat "$work/err")"
}

stop_server() {
  kill -TERM "$server"
  wait "$server" || fail "the server does not end cleanly: $(cat "$work/err")"
}
