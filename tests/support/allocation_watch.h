// What a test program asks operator new for, for tests that promise no huge allocation or none at all. One file of the program, which holds
// nothing else, includes tests/support/allocation_operators.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atelier::testing {

void reset_allocations();
size_t largest_allocation();  // the largest single request since then
int64_t num_allocations();    // requests since then

}  // namespace atelier::testing
