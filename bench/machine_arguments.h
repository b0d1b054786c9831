// `PROGRAM [threads [isa]]`: what the benchmarks of kernels take.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "atelier/kernels/isa.h"
#include "atelier/parallel/parallel.h"

namespace atelier::bench {

// Sets the team and the instruction set. False, and a line on stderr, when this CPU lacks that set.
inline bool take_machine_arguments(int argc, char** argv) {
  if (argc > 1) set_num_threads(std::atoi(argv[1]));
  const Status status = argc > 2 ? kernels::force_isa(argv[2]) : Status();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok();
}

}  // namespace atelier::bench
