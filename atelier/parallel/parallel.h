// The one thread team of the process and the loops that run on it.
//
// All compute of a process is issued by one owner thread; loops do not nest
// (InternalError). Results must not depend on the number of threads:
// a loop body writes only what its own index owns, and sums never cross indices.
#pragma once

#include <cstdint>

#include "atelier/base/function_ref.h"

namespace atelier {

// Cores this process may use: affinity mask and cgroup quota, at least 1.
int available_cores();

// The team's size from now on (default available_cores()). Clamped to [1, 1024].
void set_num_threads(int n);
int num_threads();

// Calls body(begin, end, thread) on disjoint ranges that cover [0, count): one contiguous range per thread, whose borders are
// multiples of `grain`. Runs on the calling thread when there is one range. Exceptions of the body are rethrown once.
void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t begin, int64_t end, int thread)> body);

// Calls body(unit, thread) once for every unit in [0, count), for units of a microsecond and more. Each thread starts on a contiguous part
// of its own, in ascending order; one that has finished takes units from the ends of the others' parts, so that a core that is held up
// (by another process, by memory) does not hold up the loop.
void parallel_for_each(int64_t count, FunctionRef<void(int64_t unit, int thread)> body);

}  // namespace atelier
