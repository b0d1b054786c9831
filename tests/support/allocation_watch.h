// The largest single request to operator new, for tests that promise no huge allocation. The replaced operators stand in
// atelier/format/allocation_watch_test.cc; only that room's test program has them.
#pragma once

#include <cstddef>

namespace atelier::testing {

void reset_largest_allocation();
size_t largest_allocation();

}  // namespace atelier::testing
