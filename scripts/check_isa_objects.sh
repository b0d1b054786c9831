#!/bin/sh
# Fails if an object file compiled for one instruction set defines a weak symbol that does not carry its rung's name: the linker might
# then keep that copy for the whole program (docs/adr/0004). The pointer to the C++ runtime's personality routine is the same in every copy.
# usage: check_isa_objects.sh BUILD_DIR
set -eu
found=$(find "$1" -path '*atelier_kernels.dir*' \( -name '*_avx2.cc.o' -o -name '*_avxvnni.cc.o' -o -name '*_avx512*.cc.o' \))
[ -n "$found" ] || { echo "check_isa_objects: no per-ISA objects under $1; build the kernels first" >&2; exit 1; }
status=0
for object in $found; do
  shared=$(nm -C --defined-only "$object" | grep -E '^[0-9a-f]* *[WVu] ' | grep -vE '::(avx2|avxvnni|avx512|avx512vnni|avx512bf16|avx512amx)::| DW\.ref\.__gxx_personality_v0$' || true)
  if [ -n "$shared" ]; then
    printf '%s defines symbols that other files may share:\n%s\n' "$object" "$shared" >&2
    status=1
  fi
done
exit $status
