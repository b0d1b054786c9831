# Sourced by the checks that need a Debian 12 without anything of this machine: a debootstrap root and a way to run commands in it.
# The machine's own package sources and certificates are copied in at run time; nothing of them is written in the repository.

# make_root DIR [PACKAGE...]: a minimal Debian 12 in DIR with the packages named.
make_root() {
  local dir="$1" mirror
  shift
  ((EUID == 0)) || { echo "$0: error: debootstrap needs root; run it with sudo" >&2; return 1; }
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Codename: bookworm' | head -1)"
  debootstrap --variant=minbase --include="$(IFS=,; echo "ca-certificates $*" | tr ' ' ,)" bookworm "$dir" "$mirror" >"$dir.log" 2>&1 ||
    { tail -5 "$dir.log" >&2; return 1; }
  cp /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/ca-certificates.crt"
  if [[ -f /etc/pip.conf ]]; then cp /etc/pip.conf "$dir/etc/pip.conf"; fi
  cp -L /etc/resolv.conf /etc/hosts "$dir/etc/"
  cp -r /etc/apt/apt.conf.d/. "$dir/etc/apt/apt.conf.d/"
}

# in_root DIR COMMAND...: runs COMMAND in DIR with an empty environment but proxies and pip's settings; /proc and /dev vanish afterwards.
in_root() {
  local dir="$1" keep
  shift
  keep="$(env | grep -iE '^((http|https|no|all)_proxy|PIP_(CERT|INDEX_URL|DEFAULT_TIMEOUT)|SSL_CERT_FILE)=' || true)"
  # shellcheck disable=SC2016  # the inner shell expands
  KEEP="$keep" unshare --mount bash -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 1
    mapfile -t keep <<<"$KEEP"
    root="$1"; shift
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${keep[@]:-_=}" chroot "$root" "$@"' _ "$dir" "$@"
}
