// Which instruction set the kernels use: chosen once at run time, one binary for all.
//
// The ladder is scalar < avx2 < avx512 < avx512_vnni < avx512_bf16 < avx512_amx; avx_vnni is a side branch of avx2 (an AVX-512 machine does
// not imply it). Every kernel of a rung has a scalar twin that the tests compare it with. Results are the same bits for the same ISA,
// whatever the threads or the batch; between ISAs they agree within rounding.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::kernels {

enum class Isa : uint8_t { kScalar, kAvx2, kAvxVnni, kAvx512, kAvx512Vnni, kAvx512Bf16, kAvx512Amx };

const char* isa_name(Isa isa);      // "avx512_vnni"
bool cpu_supports(Isa isa);         // this CPU and this operating system (XCR0)
std::vector<Isa> supported_isas();  // in ladder order; the last is the default choice
Isa current_isa();                  // the default choice, or what was forced

// Forces an ISA by name (the CLI passes $ATELIER_ISA). Call before compute starts. InvalidArgument names the choices this CPU has.
Status force_isa(const std::string& name);

}  // namespace atelier::kernels
