#include "atelier/parallel/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <string>

#include "atelier/parallel/team.h"

namespace atelier {
namespace {

// Cores that the cgroup's CPU quota allows ("cpu.max" of version 2: "200000 100000" or "max 100000"); 0 when there is no quota.
int cgroup_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<int>(std::ceil(std::atof(quota.c_str()) / period));
}

std::atomic<int> g_num_threads{0};

}  // namespace

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = cgroup_cores(); quota > 0) cores = std::min(cores, quota);
  return std::max(1, cores);
}

void set_num_threads(int n) { g_num_threads = std::clamp(n, 1, 1024); }

int num_threads() {
  int n = g_num_threads;
  if (n == 0) g_num_threads = n = available_cores();
  return n;
}

void parallel_for(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t, int)> body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(1, grain);
  const int64_t pieces = (count + grain - 1) / grain;
  const int team = static_cast<int>(std::min<int64_t>(num_threads(), pieces));
  if (team == 1) {
    body(0, count, 0);
    return;
  }
  static parallel::Team threads;
  threads.run(team, [&](int thread) {
    const int64_t begin = std::min(count, pieces * thread / team * grain);
    const int64_t end = std::min(count, pieces * (thread + 1) / team * grain);
    if (begin < end) body(begin, end, thread);
  });
}

}  // namespace atelier
