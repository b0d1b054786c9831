#include "atelier/kernels/scratch.h"

#include <cstddef>
#include <memory>
#include <new>

namespace atelier::kernels {
namespace {

constexpr std::align_val_t kCacheLine{64};

struct Freer {
  void operator()(std::byte* p) const { ::operator delete(p, kCacheLine); }
};

}  // namespace

void* thread_scratch(int64_t bytes) {
  thread_local std::unique_ptr<std::byte, Freer> memory;
  thread_local int64_t size = 0;
  if (size < bytes) {
    size = 0;  // holds if the allocation throws
    memory.reset();
    memory.reset(static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes), kCacheLine)));
    size = bytes;
  }
  return memory.get();
}

}  // namespace atelier::kernels
