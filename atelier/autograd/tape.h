// The record of a forward pass and its walk back.
//
// An op that finds a tape in its Context appends a node: a callable that turns the gradient of its outputs into those of its inputs. The
// tape knows no op by name. A tensor is known by the address of its elements: with a tape the arena is not rewound,
// so that an address is one value until the walk has passed it, or one after the other where an op says that it writes in place
// (docs/adr/0014).
//
//   Tensor scale(Context& context, const Tensor& x, float factor) {
//     Tensor y = ...;
//     if (Tape* tape = context.tape; tape && tape->needs_gradient(x)) {
//       tape->record(y, [x, y, factor](Tape& t) {
//         Contribution dx(t, x);                                       // written whole, then added to what is there
//         kernels::scale(t.gradient(y), factor, dx.data(), x.count());
//       });
//     }
//     return y;
//   }
//
// Gradients are float32 whatever the type of the tensor. Those of activations live from their first contribution to the node that made the
// activation, in buffers that the tape uses again; those of parameters are the caller's and add up over walks. Callables lie in blocks
// that are kept, so that a step like the one before allocates nothing. Used by the owner thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "atelier/tensor/tensor.h"

namespace atelier {

class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape();

  // `parameter` is a leaf whose gradient is added to `gradient` (F32, as many elements), which lives as long as the tape.
  void watch(const Tensor& parameter, Tensor gradient);
  // The parameters' gradients are zero from now on; the memory is written by the first contribution or at the end of the walk.
  void zero_gradients();

  // Whether a gradient of x is asked for: x is a parameter or was made from one. An empty tensor needs none.
  bool needs_gradient(const Tensor& x) const { return x && find(x.data()) != kNone; }

  // Appends a node that made `outputs`, each at an address of its own. `backward(tape)` is called once, after all nodes behind it, if
  // anything was contributed to one of them.
  template <class F>
  void record(std::span<const Tensor> outputs, F backward);
  template <class F>
  void record(const Tensor& output, F backward) {
    record(std::span(&output, 1), std::move(backward));
  }

  // Whether an op may write its result over x: a node made x. It is the caller's to know that this node needs no value of x.
  bool can_change(const Tensor& x) const { return x && find(x.data()) >= static_cast<int32_t>(watched_.size()); }
  // Appends a node that wrote over x. `backward(tape)` turns the gradient of what x is now into that of what it was: sums(x), in place.
  template <class F>
  void record_change(const Tensor& x, F backward);

  // The gradient of an output inside its node's backward. Zeros when nothing was contributed to this one of several outputs.
  const float* gradient(const Tensor& y);
  // The gradient of x to be added to in place, zeros at first. Of an output: may be overwritten, when it is passed on afterwards.
  float* sums(const Tensor& x);
  // The same for a kernel that can either write or add.
  struct Target {
    float* data;
    bool adds;  // to what others contributed; else whatever is there is overwritten
  };
  Target target(const Tensor& x);
  // Contributes the gradient of output y to x, of as many elements; y has none afterwards. Costs nothing where x has none yet.
  void pass(const Tensor& y, const Tensor& x);

  // Walks back over all nodes and forgets them; parameters that met no contribution since zero_gradients() have zeros then.
  void backward();
  // Forgets the nodes without a walk, after a forward pass that ended in an exception.
  void clear();

  // A part of the record that is walked on its own, while an outer walk stands at a node (activation checkpointing): nodes recorded
  // after mark() are walked and forgotten by backward_to(mark), and with them the identity of what they made.
  using Mark = size_t;
  Mark mark() const { return nodes_.size(); }
  void backward_to(Mark mark);

  int64_t buffer_bytes() const;  // of activations' gradients, held for reuse

 private:
  friend class Contribution;
  static constexpr int32_t kNone = -1;

  struct Node {
    void (*call)(void* callable, Tape& tape);
    void (*destroy)(void* callable);
    void* callable;
    size_t block, used;   // of the callables' memory before this one
    size_t first_output;  // in entries_; they end where the next node's begin
    const void* changed;  // address of what was written over, or null
  };
  // A tensor that has, or may come to have, a gradient.
  struct Entry {
    const void* address = nullptr;
    float* gradient = nullptr;  // null until the first contribution, for activations
    int64_t count = 0;
    int32_t buffer = kNone;  // in buffers_; kNone: a parameter's
    bool is_zero = true;     // nothing was contributed: the memory's contents mean nothing
  };
  struct Buffer {
    Tensor memory;
    bool is_taken = false;
  };
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    size_t size;
  };

  template <class F>
  void append(F backward, const void* changed);
  void* take(size_t bytes);
  void add_outputs(std::span<const Tensor> outputs);
  void pop_node();
  void walk_node();
  Entry& entry_of(const Tensor& x);
  float* memory_of(Entry& entry);  // taken if there is none
  int32_t take_buffer(int64_t count);

  // Address -> entry: open addressing; entries leave in the reverse of the order in which they came, so no slot needs a tombstone.
  int32_t find(const void* address) const;
  size_t slot_of(const void* address) const;  // where it is, or where it would go
  void insert(const void* address, int64_t count);
  void erase_last();
  void grow();

  std::vector<Node> nodes_;
  std::vector<Entry> entries_;
  std::vector<Tensor> watched_;  // the parameters' gradients
  std::vector<int32_t> slots_;   // a power of two of them; kNone: free
  std::vector<Buffer> buffers_;
  std::vector<Block> blocks_;
  size_t block_ = 0, used_ = 0;
};

// Memory for one contribution to the gradient of x, to be written whole; added to what others contributed when it goes out of scope.
// Where x is the first to be contributed to, it is the gradient itself. Where no gradient of x is asked for, what is written is forgotten.
class Contribution {
 public:
  Contribution(Tape& tape, const Tensor& x);
  ~Contribution();
  Contribution(const Contribution&) = delete;
  Contribution& operator=(const Contribution&) = delete;
  float* data() { return data_; }

 private:
  Tape& tape_;
  int32_t entry_;
  int32_t buffer_ = Tape::kNone;  // of a contribution that is to be added
  float* data_;
  int64_t count_;
};

template <class F>
void Tape::append(F backward, const void* changed) {
  static_assert(alignof(F) <= alignof(std::max_align_t));
  const size_t block = block_, used = used_;
  void* memory = take(sizeof(F));
  new (memory) F(std::move(backward));
  nodes_.push_back({[](void* callable, Tape& tape) { (*static_cast<F*>(callable))(tape); },
                    [](void* callable) { static_cast<F*>(callable)->~F(); }, memory, block, used, entries_.size(), changed});
}

template <class F>
void Tape::record(std::span<const Tensor> outputs, F backward) {
  append(std::move(backward), nullptr);
  add_outputs(outputs);
}

template <class F>
void Tape::record_change(const Tensor& x, F backward) {
  append(std::move(backward), x.data());
}

}  // namespace atelier
