#include "atelier/parallel/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "atelier/parallel/team.h"
#include "atelier/parallel/work_range.h"

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

parallel::Team& the_team() {
  static parallel::Team team;
  return team;
}

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
  the_team().run(team, [&](int thread) {
    const int64_t begin = std::min(count, pieces * thread / team * grain);
    const int64_t end = std::min(count, pieces * (thread + 1) / team * grain);
    if (begin < end) body(begin, end, thread);
  });
}

void parallel_for_each(int64_t count, FunctionRef<void(int64_t, int)> body) {
  if (count <= 0) return;
  const int team = static_cast<int>(std::min<int64_t>(num_threads(), count));
  if (team == 1) {
    for (int64_t unit = 0; unit < count; ++unit) body(unit, 0);
    return;
  }
  static std::vector<parallel::WorkRange> parts;  // only the owner thread comes here
  while (static_cast<int>(parts.size()) < team) parts.emplace_back();
  for (int thread = 0; thread < team; ++thread) parts[static_cast<size_t>(thread)].set(count * thread / team, count * (thread + 1) / team);
  the_team().run(team, [&](int thread) {
    for (int64_t unit; (unit = parts[static_cast<size_t>(thread)].take_first()) >= 0;) body(unit, thread);
    for (int i = 1; i < team; ++i) {
      parallel::WorkRange& other = parts[static_cast<size_t>((thread + i) % team)];
      for (int64_t unit; (unit = other.take_last()) >= 0;) body(unit, thread);
    }
  });
}

}  // namespace atelier
