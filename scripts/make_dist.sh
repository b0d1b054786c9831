#!/usr/bin/env bash
# Packs a build: make_dist.sh BUILD_DIR OUTPUT_DIR
#
#   atelier-<version>-linux-x86_64.tar.gz   runs from any folder: bin/atelier finds its libraries in $ORIGIN/../lib. Everything but glibc
#                                           (2.36 or newer) lies beside it, with the licences of what is not ours.
#   atelier_<version>_amd64.deb             the binary alone; Depends names Debian's packages.
#
# Both are tried by scripts/check_dist.sh.
set -euo pipefail
readonly build_dir="${1:?usage: make_dist.sh BUILD_DIR OUTPUT_DIR}" output_dir="${2:?usage: make_dist.sh BUILD_DIR OUTPUT_DIR}"
readonly version="$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build_dir/CMakeCache.txt")"
readonly name="atelier-$version-linux-$(uname -m)"
readonly work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
readonly root="$work/$name"
mkdir -p "$output_dir" "$root/lib" "$root/share/licenses"

cmake --install "$build_dir" --prefix "$root" --component runtime --strip >/dev/null

# libraries BINARY: path of each shared library it needs, in the order of ldd, without the C library and its loader.
libraries() {
  ldd "$1" | awk '/not found/ { print "make_dist: error: " $1 " not found" >"/dev/stderr"; exit 1 } $2 == "=>" { print $3 }' |
    grep -vE '/(libc|libm|libdl|librt|libpthread)\.so\.[0-9]+$'
}
libraries "$root/bin/atelier" >"$work/libraries"
while read -r library; do
  cp -L "$library" "$root/lib/"
  chmod 644 "$root/lib/$(basename "$library")"
  patchelf --set-rpath '$ORIGIN' "$root/lib/$(basename "$library")"
  package="$(dpkg-query --search "*/$(uname -m)-linux-gnu/$(basename "$(realpath "$library")")" | head -1 | cut -d: -f1)"
  cp -L "/usr/share/doc/$package/copyright" "$root/share/licenses/$package"
done <"$work/libraries"
patchelf --set-rpath '$ORIGIN/../lib' "$root/bin/atelier"
tar --create --gzip --owner=0 --group=0 --numeric-owner --sort=name --file "$output_dir/$name.tar.gz" --directory "$work" "$name"

(cd "$build_dir" && cpack -G DEB -B "$work/deb" >"$work/cpack.log" 2>&1) || { cat "$work/cpack.log" >&2; exit 1; }
cp "$work"/deb/*.deb "$output_dir/"
(cd "$output_dir" && du -h "$name.tar.gz" ./*.deb)
