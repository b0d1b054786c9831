#include "tests/support/allocation_watch.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<size_t> g_largest{0};
}

void* operator new(size_t count) {
  if (count > g_largest) g_largest = count;
  if (void* memory = std::malloc(count == 0 ? 1 : count)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t count, const std::nothrow_t&) noexcept {  // what std::stable_sort asks for its buffer
  if (count > g_largest) g_largest = count;
  return std::malloc(count == 0 ? 1 : count);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace atelier::testing {

void reset_largest_allocation() { g_largest = 0; }
size_t largest_allocation() { return g_largest; }

}  // namespace atelier::testing
