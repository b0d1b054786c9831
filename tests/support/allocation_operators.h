// The replaced operators of tests/support/allocation_watch.h. Include this in one file of a test program that holds nothing else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/allocation_watch.h"

namespace atelier::testing {
inline std::atomic<size_t> g_largest{0};
inline std::atomic<int64_t> g_count{0};

inline void* allocate(size_t count, size_t alignment = alignof(std::max_align_t)) {
  if (count > g_largest) g_largest = count;
  ++g_count;
  return std::aligned_alloc(alignment, (count + alignment) / alignment * alignment);
}

void reset_allocations() { g_largest = 0, g_count = 0; }
size_t largest_allocation() { return g_largest; }
int64_t num_allocations() { return g_count; }

}  // namespace atelier::testing

void* operator new(size_t count) {
  if (void* memory = atelier::testing::allocate(count)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t count, const std::nothrow_t&) noexcept {  // what std::stable_sort asks for its buffer
  return atelier::testing::allocate(count);
}
void* operator new(size_t count, std::align_val_t alignment) {
  if (void* memory = atelier::testing::allocate(count, static_cast<size_t>(alignment))) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
