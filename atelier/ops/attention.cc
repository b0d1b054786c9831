#include "atelier/ops/attention.h"

#include <cstring>
#include <optional>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/kernels/kv_tile.h"

namespace atelier::ops {
namespace {

void check_query(const kernels::AttentionShape& shape, const Tensor& q) {
  if (q.shape().rank() != 2 || q.dim(1) != shape.num_heads * shape.head_dim || shape.num_kv_heads <= 0 ||
      shape.num_heads % shape.num_kv_heads != 0) {
    throw ShapeError("[attention] q is " + q.shape().to_string() + ", heads " + std::to_string(shape.num_heads) + ", kv heads " +
                     std::to_string(shape.num_kv_heads) + ", head width " + std::to_string(shape.head_dim));
  }
}

void check_rows(const Tensor& q, int64_t first_row, int64_t num_rows, int64_t prefix, int64_t num_keys) {
  if (first_row < 0 || num_rows < 0 || first_row + num_rows > q.dim(0) || prefix < 0 || prefix > num_keys) {
    throw ShapeError("[attention] rows " + std::to_string(first_row) + " + " + std::to_string(num_rows) + " of q " + q.shape().to_string() +
                     ", prefix " + std::to_string(prefix) + " of " + std::to_string(num_keys) + " keys");
  }
}

kernels::Compute compute_for(const Context& context) {
  return context.precision == Precision::kF32 ? kernels::Compute::kF32 : kernels::Compute::kBF16;
}

// Keys and values of documents in pages of float32, as a cache would hold them, for the time of one call.
class DocumentPages {
 public:
  DocumentPages(Arena& arena, const kernels::AttentionShape& shape, std::span<const kernels::DocumentRows> documents, const Tensor& k,
                const Tensor& v)
      : arena_(arena), mark_(arena.mark()) {
    const int64_t width = shape.num_kv_heads * shape.head_dim,
                  page_floats = 2 * shape.num_kv_heads * kernels::kv_tile_bytes(DType::kF32, shape.head_dim) / 4;
    int64_t num_pages = 0;
    for (const kernels::DocumentRows& document : documents) num_pages += pages_of(document);
    Tensor memory = arena.empty_f32({num_pages, page_floats}), addresses = arena.empty(DType::kI64, {num_pages});
    auto** pages = static_cast<uint8_t**>(addresses.mutable_data());
    for (int64_t i = 0; i < num_pages; ++i) pages[i] = reinterpret_cast<uint8_t*>(memory.f32() + i * page_floats);
    runs_.clear();
    for (const kernels::DocumentRows& document : documents) {
      const kernels::KvView view{DType::kF32, pages, 0};
      const int64_t first = document.key_row() * width;
      kernels::store_kv(view, shape.num_kv_heads, shape.head_dim, 0, k.f32() + first, v.f32() + first, document.key_count());
      runs_.push_back(document.is_cross() ? kernels::cross_run(document.first_row, document.num_rows, view, document.num_keys)
                                          : kernels::AttentionRun{document.first_row, document.num_rows, 0, view, document.prefix});
      pages += pages_of(document);
    }
  }
  ~DocumentPages() { arena_.rewind(mark_); }
  DocumentPages(const DocumentPages&) = delete;
  DocumentPages& operator=(const DocumentPages&) = delete;

  std::span<const kernels::AttentionRun> runs() const { return runs_; }

 private:
  static int64_t pages_of(const kernels::DocumentRows& document) {
    return (document.key_count() + kernels::kKeyTile - 1) / kernels::kKeyTile;
  }

  Arena& arena_;
  Arena::Mark mark_;
  static thread_local std::vector<kernels::AttentionRun> runs_;  // kept from call to call
};
thread_local std::vector<kernels::AttentionRun> DocumentPages::runs_;

}  // namespace

Tensor attention(Context& context, const kernels::AttentionShape& shape, std::span<const kernels::AttentionRun> runs, const Tensor& q) {
  check_query(shape, q);
  for (const kernels::AttentionRun& run : runs) {
    check_rows(q, run.first_row, run.num_rows, run.prefix, run.first_position < 0 ? run.prefix : run.first_position + run.num_rows);
  }
  Tensor out = context.arena.empty_f32(q.shape());
  kernels::attention(shape, runs, q.f32(), q.dim(1), out.f32(), q.dim(1), compute_for(context));
  return out;
}

kernels::AttentionShape with_bias(kernels::AttentionShape shape, const Tensor& relative_bias) {
  if (!relative_bias) return shape;
  if (relative_bias.shape().rank() != 2 || relative_bias.dim(0) != shape.num_heads || relative_bias.dim(1) % 2 == 0) {
    throw ShapeError("[attention] relative bias is " + relative_bias.shape().to_string() + ", heads " + std::to_string(shape.num_heads));
  }
  shape.relative_bias = relative_bias.f32();
  shape.reach = relative_bias.dim(1) / 2;
  return shape;
}

Tensor document_attention(Context& context, const kernels::AttentionShape& unbiased, std::span<const kernels::DocumentRows> documents,
                          const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& relative_bias) {
  check_query(unbiased, q);
  const kernels::AttentionShape shape = with_bias(unbiased, relative_bias);
  const Shape wanted{k.dim(0), shape.num_kv_heads * shape.head_dim};
  if (!(k.shape() == wanted) || !(v.shape() == wanted)) {
    throw ShapeError("[attention] k is " + k.shape().to_string() + ", v is " + v.shape().to_string() + ", want " + wanted.to_string());
  }
  for (const kernels::DocumentRows& document : documents) {
    check_rows(q, document.first_row, document.num_rows, document.prefix, document.num_rows);
    check_rows(k, document.key_row(), document.key_count(), 0, document.key_count());
  }
  const kernels::Compute compute = compute_for(context);
  Tensor out = context.arena.empty_f32(q.shape());
  const bool is_to_record = is_recorded(context, q, k, v, relative_bias);
  Tensor log_sums = is_to_record ? context.arena.empty_f32({q.dim(0), shape.num_heads}) : Tensor{};
  {
    const DocumentPages pages(context.arena, shape, documents, k, v);
    kernels::attention(shape, pages.runs(), q.f32(), q.dim(1), out.f32(), q.dim(1), compute, is_to_record ? log_sums.f32() : nullptr);
  }
  if (is_to_record) {
    context.tape->record(out, [shape, documents, q, k, v, relative_bias, out, log_sums, compute](Tape& tape) {
      Contribution dq(tape, q), dk(tape, k), dv(tape, v);
      std::optional<Contribution> d_bias;
      if (relative_bias && tape.needs_gradient(relative_bias)) d_bias.emplace(tape, relative_bias);
      kernels::attention_backward(shape, documents,
                                  {q.f32(), k.f32(), v.f32(), out.f32(), tape.gradient(out), log_sums.f32(), dq.data(), dk.data(),
                                   dv.data(), d_bias ? d_bias->data() : nullptr},
                                  compute);
    });
  }
  return out;
}

void rotary_inplace(Context& context, Tensor& x, int64_t num_heads, std::span<const int32_t> position, const Tensor& cos, const Tensor& sin,
                    kernels::RotaryLayout layout) {
  const int64_t half = cos.dim(1);
  if (x.shape().rank() != 2 || static_cast<int64_t>(position.size()) != x.dim(0) || x.dim(1) % num_heads != 0 ||
      2 * half > x.dim(1) / num_heads || !(cos.shape() == sin.shape())) {
    throw ShapeError("[rotary] x is " + x.shape().to_string() + ", heads " + std::to_string(num_heads) + ", cos is " +
                     cos.shape().to_string());
  }
  const bool is_changed = context.tape == nullptr || context.tape->can_change(x);
  Tensor y = x;
  if (!is_changed) {
    y = context.arena.empty_f32(x.shape());
    std::memcpy(y.f32(), x.f32(), static_cast<size_t>(x.num_bytes()));
  }
  const int64_t D = x.dim(1) / num_heads;
  kernels::rotary(y.f32(), y.dim(1), y.dim(0), num_heads, D, 2 * half, position.data(), cos.f32(), sin.f32(), layout);
  if (is_recorded(context, x)) {
    const auto turn_back = [y, num_heads, D, half, position, cos, sin, layout](Tape& tape) {
      kernels::rotary_backward(tape.sums(y), y.dim(1), y.dim(0), num_heads, D, 2 * half, position.data(), cos.f32(), sin.f32(), layout);
    };
    if (is_changed) {
      context.tape->record_change(x, turn_back);
    } else {
      context.tape->record(y, [turn_back, x, y](Tape& tape) {
        turn_back(tape);
        tape.pass(y, x);
      });
    }
  }
  x = y;
}

}  // namespace atelier::ops
