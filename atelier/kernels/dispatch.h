// From an ISA to its table of kernels.
#pragma once

#include "atelier/kernels/isa.h"
#include "atelier/kernels/table.h"

namespace atelier::kernels {

const KernelTable& kernel_table(Isa isa);
const KernelTable& active();  // of current_isa()

}  // namespace atelier::kernels
