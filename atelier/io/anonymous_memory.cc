#include "atelier/io/anonymous_memory.h"

#include <sys/mman.h>

#include "atelier/base/strings.h"

namespace atelier::io {

Result<std::shared_ptr<uint8_t>> map_anonymous(int64_t bytes, const std::string& what, const std::string& next_step) {
  const auto size = static_cast<size_t>(bytes);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return Status::out_of_range(what + ": " + human_bytes(size) + " cannot be reserved; " + next_step);
  madvise(memory, size, MADV_HUGEPAGE);  // a hint: nothing depends on it
  return std::shared_ptr<uint8_t>(static_cast<uint8_t*>(memory), [size](uint8_t* p) { munmap(p, size); });
}

}  // namespace atelier::io
