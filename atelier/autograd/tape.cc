#include "atelier/autograd/tape.h"

#include <algorithm>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/kernels/kernels.h"

namespace atelier {
namespace {
constexpr size_t kBlockBytes = size_t{1} << 16;
constexpr size_t kFirstSlots = 256;
}  // namespace

Tape::~Tape() { clear(); }

void Tape::watch(const Tensor& parameter, Tensor gradient) {
  ATELIER_CHECK(nodes_.empty() && gradient.count() == parameter.count());
  insert(parameter.data(), parameter.count());
  entries_.back().gradient = gradient.f32();
  watched_.push_back(std::move(gradient));
}

void Tape::zero_gradients() {
  ATELIER_CHECK(nodes_.empty());
  for (Entry& entry : entries_) entry.is_zero = true;
}

void Tape::backward() {
  backward_to(0);
  for (Entry& entry : entries_) {
    if (std::exchange(entry.is_zero, false)) std::memset(entry.gradient, 0, static_cast<size_t>(entry.count) * sizeof(float));
  }
}

void Tape::backward_to(Mark mark) {
  while (nodes_.size() > mark) {
    walk_node();
    pop_node();
  }
}

void Tape::clear() {
  while (!nodes_.empty()) pop_node();
}

const float* Tape::gradient(const Tensor& y) { return sums(y); }

float* Tape::sums(const Tensor& x) {
  Entry& entry = entry_of(x);
  float* memory = memory_of(entry);
  if (std::exchange(entry.is_zero, false)) std::memset(memory, 0, static_cast<size_t>(entry.count) * sizeof(float));
  return memory;
}

Tape::Target Tape::target(const Tensor& x) {
  Entry& entry = entry_of(x);
  return {memory_of(entry), !std::exchange(entry.is_zero, false)};
}

void Tape::pass(const Tensor& y, const Tensor& x) {
  const float* gradient = sums(y);
  Entry& from = entry_of(y);
  Entry& to = entry_of(x);
  if (to.gradient != nullptr || from.buffer == kNone) {
    const Target sum = target(x);
    if (sum.adds) {
      kernels::add(sum.data, gradient, sum.data, x.count());
    } else {
      std::memcpy(sum.data, gradient, static_cast<size_t>(x.count()) * sizeof(float));
    }
    return;
  }
  to.gradient = std::exchange(from.gradient, nullptr);
  to.buffer = std::exchange(from.buffer, kNone);
  to.is_zero = false;
  from.is_zero = true;
}

int64_t Tape::buffer_bytes() const {
  int64_t bytes = 0;
  for (const Buffer& buffer : buffers_) bytes += buffer.memory.num_bytes();
  return bytes;
}

void* Tape::take(size_t bytes) {
  constexpr size_t kAlignment = alignof(std::max_align_t);
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < bytes) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = std::max(bytes, kBlockBytes);
    blocks_.push_back({std::make_unique<std::byte[]>(size), size});
    used_ = 0;
  }
  return blocks_[block_].memory.get() + std::exchange(used_, used_ + bytes);
}

void Tape::add_outputs(std::span<const Tensor> outputs) {
  for (const Tensor& output : outputs) insert(output.data(), output.count());
}

// The node stays on the record while it is called: a part that it records lies behind it.
void Tape::walk_node() {
  const Node node = nodes_.back();
  const auto outputs = node.changed != nullptr ? std::span(entries_).subspan(static_cast<size_t>(find(node.changed)), 1)
                                               : std::span(entries_).subspan(node.first_output);
  if (std::ranges::any_of(outputs, [](const Entry& entry) { return !entry.is_zero; })) node.call(node.callable, *this);
}

void Tape::pop_node() {
  const Node node = nodes_.back();
  nodes_.pop_back();
  while (entries_.size() > node.first_output) erase_last();
  node.destroy(node.callable);
  block_ = node.block;
  used_ = node.used;
}

Tape::Entry& Tape::entry_of(const Tensor& x) {
  const int32_t index = find(x.data());
  ATELIER_CHECK(index != kNone && entries_[static_cast<size_t>(index)].count == x.count());
  return entries_[static_cast<size_t>(index)];
}

float* Tape::memory_of(Entry& entry) {
  if (entry.gradient == nullptr) {
    entry.buffer = take_buffer(entry.count);
    entry.gradient = buffers_[static_cast<size_t>(entry.buffer)].memory.f32();
  }
  return entry.gradient;
}

// The smallest free one that is large enough.
int32_t Tape::take_buffer(int64_t count) {
  int32_t best = kNone;
  for (int32_t i = 0; i < static_cast<int32_t>(buffers_.size()); ++i) {
    const Buffer& buffer = buffers_[static_cast<size_t>(i)];
    if (buffer.is_taken || buffer.memory.count() < count) continue;
    if (best == kNone || buffer.memory.count() < buffers_[static_cast<size_t>(best)].memory.count()) best = i;
  }
  if (best == kNone) {
    best = static_cast<int32_t>(buffers_.size());
    buffers_.push_back({Tensor::zeros(DType::kF32, {count})});
  }
  buffers_[static_cast<size_t>(best)].is_taken = true;
  return best;
}

int32_t Tape::find(const void* address) const { return slots_.empty() ? kNone : slots_[slot_of(address)]; }

size_t Tape::slot_of(const void* address) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = (reinterpret_cast<uintptr_t>(address) / 64 * size_t{0x9e3779b97f4a7c15}) >> 20 & mask;
  while (slots_[slot] != kNone && entries_[static_cast<size_t>(slots_[slot])].address != address) slot = (slot + 1) & mask;
  return slot;
}

void Tape::insert(const void* address, int64_t count) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  int32_t& slot = slots_[slot_of(address)];
  ATELIER_CHECK(slot == kNone);  // one value per address
  slot = static_cast<int32_t>(entries_.size());
  entries_.push_back({.address = address, .count = count});
}

void Tape::erase_last() {
  const Entry& entry = entries_.back();
  slots_[slot_of(entry.address)] = kNone;
  if (entry.buffer != kNone) buffers_[static_cast<size_t>(entry.buffer)].is_taken = false;
  entries_.pop_back();
}

void Tape::grow() {
  slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), kNone);
  for (size_t i = 0; i < entries_.size(); ++i) slots_[slot_of(entries_[i].address)] = static_cast<int32_t>(i);
}

Contribution::Contribution(Tape& tape, const Tensor& x) : tape_(tape), entry_(tape.find(x.data())), count_(x.count()) {
  if (entry_ != Tape::kNone && std::exchange(tape.entry_of(x).is_zero, false)) {
    data_ = tape.memory_of(tape.entry_of(x));
  } else {
    buffer_ = tape.take_buffer(count_);
    data_ = tape.buffers_[static_cast<size_t>(buffer_)].memory.f32();
  }
}

Contribution::~Contribution() {
  if (buffer_ == Tape::kNone) return;
  if (entry_ != Tape::kNone) {
    float* gradient = tape_.entries_[static_cast<size_t>(entry_)].gradient;
    kernels::add(gradient, data_, gradient, count_);
  }
  tape_.buffers_[static_cast<size_t>(buffer_)].is_taken = false;
}

}  // namespace atelier
