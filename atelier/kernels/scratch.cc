#include "atelier/kernels/scratch.h"

#include <cstddef>
#include <new>

namespace atelier::kernels {
namespace {

constexpr std::align_val_t kCacheLine{64};

// Grown by a new block: what the old one held is not kept.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { ::operator delete(data_, kCacheLine); }

  void* at_least(int64_t bytes) {
    if (size_ < bytes) {
      ::operator delete(data_, kCacheLine);
      data_ = nullptr;  // holds if the allocation throws
      size_ = 0;
      data_ = ::operator new(static_cast<size_t>(bytes), kCacheLine);
      size_ = bytes;
    }
    return data_;
  }

 private:
  void* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace

void* thread_scratch(int64_t bytes) {
  thread_local Scratch scratch;
  return scratch.at_least(bytes);
}

}  // namespace atelier::kernels
