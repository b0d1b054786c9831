#include "atelier/kernels/isa.h"

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace atelier::kernels {
namespace {

constexpr Isa kLadder[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAvx512Amx};

// What CPUID reports, after the operating system's say on which registers it saves (Intel SDM vol. 1, 13.3 and 14.3).
struct Features {
  bool avx2 = false;  // with FMA and F16C
  bool avx_vnni = false;
  bool avx512 = false;  // F, BW, VL, DQ
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_amx = false;  // tiles with products of int8 and of bfloat16
};

#if defined(__x86_64__)

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
  return r;
}

constexpr bool bit(unsigned word, int index) { return (word >> index) & 1u; }

uint64_t xgetbv() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | static_cast<uint64_t>(high) << 32;
}

// Linux gives a process the tile registers when it asks for them, once for all its threads (Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Features detect() {
  Features f;
  const Registers basic = cpuid(1, 0);
  const bool os_saves_state = bit(basic.ecx, 27);
  if (!os_saves_state) return f;
  const uint64_t saved = xgetbv();
  const bool ymm = (saved & 0x06) == 0x06;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const Registers extended = cpuid(7, 0);
  const Registers extended1 = cpuid(7, 1);
  const bool avx = bit(basic.ecx, 28), fma = bit(basic.ecx, 12), f16c = bit(basic.ecx, 29);
  f.avx2 = ymm && avx && fma && f16c && bit(extended.ebx, 5);
  f.avx_vnni = f.avx2 && bit(extended1.eax, 4);
  f.avx512 = f.avx2 && zmm && bit(extended.ebx, 16) && bit(extended.ebx, 17) && bit(extended.ebx, 30) && bit(extended.ebx, 31);
  f.avx512_vnni = f.avx512 && bit(extended.ecx, 11);
  f.avx512_bf16 = f.avx512_vnni && bit(extended1.eax, 5);
  constexpr uint64_t kTileState = 0x60000;
  const bool has_tiles = bit(extended.edx, 22) && bit(extended.edx, 24) && bit(extended.edx, 25);
  f.avx512_amx = f.avx512_bf16 && has_tiles && (saved & kTileState) == kTileState && may_use_tiles();
  return f;
}

#else

Features detect() { return {}; }

#endif

const Features& features() {
  static const Features found = detect();
  return found;
}

constexpr int kNotForced = -1;
std::atomic<int> g_forced{kNotForced};

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvxVnni:
      return "avx_vnni";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAvx512Amx:
      return "avx512_amx";
  }
  return "unknown";
}

bool cpu_supports(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return features().avx2;
    case Isa::kAvxVnni:
      return features().avx_vnni;
    case Isa::kAvx512:
      return features().avx512;
    case Isa::kAvx512Vnni:
      return features().avx512_vnni;
    case Isa::kAvx512Bf16:
      return features().avx512_bf16;
    case Isa::kAvx512Amx:
      return features().avx512_amx;
  }
  return false;
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> found;
  for (const Isa isa : kLadder) {
    if (cpu_supports(isa)) found.push_back(isa);
  }
  return found;
}

Isa current_isa() {
  static const Isa best = supported_isas().back();
  const int forced = g_forced.load(std::memory_order_relaxed);
  return forced == kNotForced ? best : static_cast<Isa>(forced);
}

Status force_isa(const std::string& name) {
  std::string choices;
  for (const Isa isa : supported_isas()) {
    if (name == isa_name(isa)) {
      g_forced = static_cast<int>(isa);
      return {};
    }
    choices += std::string(choices.empty() ? "" : ", ") + isa_name(isa);
  }
  return Status::invalid("isa \"" + name + "\" is not available on this CPU; choose one of " + choices);
}

}  // namespace atelier::kernels
