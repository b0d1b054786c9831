#!/usr/bin/env bash
# The server as a process: TLS by certificate files, keys, several models within a memory bound, signals. Usage: serve.sh PATH/TO/atelier
set -u
readonly atelier="$1"
readonly root="$(cd "$(dirname "$0")/../.." && pwd)"
readonly model="$root/tests/golden/models/smollm2"
readonly work="$(mktemp -d)"
server=
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

source "$root/scripts/server.sh"

# Status and body of a request over TLS, by a client that trusts our certificate alone: ask PATH KEY [BODY]
ask() {
  python3 - "$work/chain.pem" "$url" "$@" <<'PYTHON'
import ssl, sys, urllib.error, urllib.request
chain, url, path, key, *body = sys.argv[1:]
request = urllib.request.Request(url + path, data=body[0].encode() if body else None, headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=chain)))
try:
    with opener.open(request, timeout=60) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
PYTHON
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key.pem" -out "$work/chain.pem" -days 2 -subj /CN=atelier \
  -addext 'subjectAltName = IP:127.0.0.1, DNS:localhost' >/dev/null 2>&1 || fail "openssl makes no certificate"
echo "0123456789abcdef-key" >"$work/keys"

start_server "$model" --tls-cert "$work/chain.pem" --tls-key "$work/key.pem" --api-key-file "$work/keys" --name tiny
[[ $url == https://127.0.0.1:* ]] || fail "the address is $url"
[[ $(ask /health none) == 200* ]] || fail "no health over TLS"
[[ $(ask /v1/models wrong) == 401* ]] || fail "a wrong key is taken over TLS"
[[ $(ask /v1/models 0123456789abcdef-key) == '200 '*tiny* ]] || fail "no models over TLS: $(ask /v1/models 0123456789abcdef-key)"
[[ $(ask /v1/completions 0123456789abcdef-key '{"prompt": "once", "max_tokens": 4, "stream": true}') == *'data: [DONE]'* ]] || fail "no stream over TLS"
python3 -W ignore - "$url" <<'PYTHON' || fail "TLS 1.1 or plain HTTP is taken"
import socket, ssl, sys
host, port = sys.argv[1].removeprefix("https://").split(":")
old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
try:
    old.wrap_socket(socket.create_connection((host, int(port)), timeout=20))
    sys.exit(1)
except (ssl.SSLError, OSError):
    pass
with socket.create_connection((host, int(port)), timeout=20) as plain:
    plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        sys.exit(plain.recv(100).startswith(b"HTTP"))
    except OSError:
        pass
PYTHON
OPENAI_API_KEY=0123456789abcdef-key "$atelier" bench serve "$url" --tls-ca "$work/chain.pem" --streams 2 --requests 4 --prompt 8 --generate 4 \
  --vocabulary 300 --json >"$work/load" 2>"$work/load-err" || fail "bench serve over TLS: $(cat "$work/load-err")"
grep -q '"completed": *4' "$work/load" || fail "bench serve over TLS says $(cat "$work/load")"
OPENAI_API_KEY=0123456789abcdef-key "$atelier" bench serve "$url" --requests 1 >"$work/load" 2>"$work/load-err" && fail "a certificate that nobody vouches for is trusted"
stop_server

# Two models where one has room.
mkdir -p "$work/home/models"
cp -r "$model" "$work/home/models/one"
cp -r "$model" "$work/home/models/two"
export ATELIER_HOME="$work/home"
"$atelier" serve one --memory 1K >"$work/out" 2>"$work/err" && fail "a model without room is served"
grep -Eq '^atelier: error: --memory: 1K, one takes .+; .+' "$work/err" || fail "the error is $(cat "$work/err")"
start_server --store --memory 5M --parallel 2 --alias gpt-4o=two
for name in one two gpt-4o one; do
  [[ $("$atelier" bench serve "$url" --model $name --requests 2 --streams 1 --prompt 8 --generate 4 --vocabulary 300 --json 2>"$work/load-err") == *'"completed": 2'* ]] ||
    fail "$name does not answer: $(cat "$work/load-err")"
done
stop_server

[[ $failures == 0 ]] && echo "serve: all checks passed"
exit $((failures > 0))
