#include "atelier/kernels/scratch.h"

#include <cstddef>
#include <new>

#include "atelier/base/error.h"
#include "atelier/io/anonymous_memory.h"

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

float* Workspace::take(int64_t floats) {
  if (const int64_t bytes = floats * static_cast<int64_t>(sizeof(float)); bytes > bytes_) {
    bytes_ = 0;  // holds if the allocation throws
    memory_.reset();
    auto memory = io::map_anonymous(bytes, "workspace", "use fewer rows at a time");
    if (!memory.ok()) throw Error(memory.status().message());
    memory_ = std::move(memory).value();
    bytes_ = bytes;
  }
  return reinterpret_cast<float*>(memory_.get());
}

}  // namespace atelier::kernels
