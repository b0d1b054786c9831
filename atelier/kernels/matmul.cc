// The two products behind a linear layer's backward pass. Operands are packed into words first, by all threads; then a unit of work is a
// panel of columns with a block of rows. Sums run over the words in ascending order whatever the cut (kernels/simd/matmul.h).
#include <algorithm>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/gradients.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kRowsPerUnit = 96;
constexpr int64_t kOutputsPerSlab = 4096;  // that are packed at once, so that a head's operands stay small; whole chunks of a sum
constexpr int64_t kInputsPerPiece = 32;    // of a source that one thread packs at a time; whole words

int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

// Words from a row to the next: a line more where rows would meet in one set of the L1 cache.
int64_t row_words(int64_t words) {
  const int64_t rounded = round_up(words, 16);
  return rounded % 1024 == 0 ? rounded + 16 : rounded;
}

float* left_operand(int64_t floats) {
  thread_local Workspace memory;
  return memory.take(floats);
}
float* right_operand(int64_t floats) {
  thread_local Workspace memory;
  return memory.take(floats);
}

const MatmulKernels& kernels_for(Compute compute) {
  const KernelTable& table = active();
  return compute == Compute::kBF16 && table.matmul_bf16.multiply != nullptr ? table.matmul_bf16 : table.matmul_f32;
}

// Rows [begin, begin + count) of a weight as float32 [count, K]; in place where they are stored so.
const float* weight_rows(DType dtype, const void* w, int64_t K, int64_t begin, int64_t count, float* buffer, uint8_t* packed) {
  const auto* bytes = static_cast<const uint8_t*>(w);
  if (dtype == DType::kF32) return static_cast<const float*>(w) + begin * K;
  if (!is_quantized(dtype)) {
    load(dtype, bytes + begin * row_bytes(dtype, K), buffer, count * K);
    return buffer;
  }
  for (int64_t i = 0; i < count; ++i) {
    quant::unpack_tile_row(dtype, bytes, begin + i, K, packed);
    quant::to_f32(dtype, packed, buffer + i * K, K);
  }
  return buffer;
}

// c [M, N] (+)= a [M, words] b, panels of b one after the other.
void multiply_panels(const MatmulKernels& kernels, const float* a, int64_t lda, const float* b, int64_t words, int64_t M, int64_t N,
                     float* c, int64_t ldc, bool adds) {
  const int64_t panels = round_up(N, kPanelColumns) / kPanelColumns, blocks = round_up(M, kRowsPerUnit) / kRowsPerUnit;
  parallel_for_each(panels * blocks, [&](int64_t i, int) {
    const int64_t row = i / panels * kRowsPerUnit, panel = i % panels, column = panel * kPanelColumns;
    kernels.multiply(a + row * lda, lda, b + panel * words * kPanelColumns, kPanelColumns, words, std::min(kRowsPerUnit, M - row),
                     std::min(kPanelColumns, N - column), c + row * ldc + column, ldc, adds);
  });
}

}  // namespace

void linear_backward_input(DType dtype, const void* w, int64_t N, int64_t K, const float* dy, int64_t lddy, int64_t T, float* dx,
                           int64_t lddx, bool adds, Compute compute) {
  const MatmulKernels& kernels = kernels_for(compute);
  const int64_t inputs = kernels.inputs_per_word, most = std::min(N, kOutputsPerSlab), most_words = (most + inputs - 1) / inputs;
  float* right = right_operand(most_words * round_up(K, kPanelColumns));
  float* left = inputs == 1 ? nullptr : left_operand(T * row_words(most_words));
  for (int64_t first = 0; first < N; first += kOutputsPerSlab) {
    const int64_t outputs = std::min(kOutputsPerSlab, N - first), words = (outputs + inputs - 1) / inputs;
    parallel_for(outputs, kInputsPerPiece, [&](int64_t begin, int64_t end, int) {
      const int64_t floats = kInputsPerPiece * K;
      auto* scratch = static_cast<float*>(thread_scratch(floats * static_cast<int64_t>(sizeof(float)) + row_bytes(dtype, K)));
      for (int64_t n = begin; n < end; n += kInputsPerPiece) {
        const int64_t count = std::min(kInputsPerPiece, end - n);
        const float* rows = weight_rows(dtype, w, K, first + n, count, scratch, reinterpret_cast<uint8_t*>(scratch + floats));
        kernels.pack_panels(rows, K, count, K, right + n / inputs * kPanelColumns, words * kPanelColumns);
      }
    });
    const float* a = dy + first;
    int64_t lda = lddy;
    if (left != nullptr) {
      a = left;
      lda = row_words(words);
      parallel_for(T, 1, [&](int64_t begin, int64_t end, int) {
        kernels.pack_rows(dy + begin * lddy + first, lddy, end - begin, outputs, left + begin * lda, lda);
      });
    }
    multiply_panels(kernels, a, lda, right, words, T, K, dx, lddx, adds || first > 0);
  }
}

void linear_backward_weight(const float* dy, int64_t lddy, const float* x, int64_t ldx, int64_t T, int64_t N, int64_t K, float* dw,
                            bool adds, Compute compute) {
  const MatmulKernels& kernels = kernels_for(compute);
  const int64_t inputs = kernels.inputs_per_word, words = (T + inputs - 1) / inputs, lda = row_words(words);
  float* left = left_operand(std::min(N, kOutputsPerSlab) * lda);
  float* right = right_operand(words * round_up(K, kPanelColumns));
  parallel_for(T, kInputsPerPiece, [&](int64_t begin, int64_t end, int) {
    kernels.pack_panels(x + begin * ldx, ldx, end - begin, K, right + begin / inputs * kPanelColumns, words * kPanelColumns);
  });
  for (int64_t first = 0; first < N; first += kOutputsPerSlab) {
    const int64_t outputs = std::min(kOutputsPerSlab, N - first);
    parallel_for(outputs, kPanelColumns, [&](int64_t begin, int64_t end, int) {
      kernels.pack_turned(dy + first + begin, lddy, T, end - begin, left + begin * lda, lda);
    });
    multiply_panels(kernels, left, lda, right, words, outputs, K, dw + first * K, K, adds);
  }
}

void linear_backward_bias(const float* dy, int64_t lddy, int64_t T, int64_t N, float* db) {
  const KernelTable& table = active();
  parallel_for(N, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = 0; t < T; ++t) table.add(db + begin, dy + t * lddy + begin, db + begin, end - begin);
  });
}

}  // namespace atelier::kernels
