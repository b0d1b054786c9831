// The two products behind a linear layer's backward pass. Operands are packed into words first, by all threads; then a unit of work is a
// panel of columns with a block of rows. Sums run over the words in ascending order whatever the cut (kernels/simd/matmul.h).
#include <algorithm>
#include <array>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/gradients.h"
#include "atelier/kernels/input_rows.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kRowsPerUnit = 96;
constexpr int64_t kOutputsPerSlab = 4096;  // that are packed at once, so that a head's operands stay small; whole chunks of a sum
constexpr size_t kMaxPieces = 8;           // of a slab
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

// Rows [begin, begin + count) of a weight as float32 [count, K]; in place where they are stored so. `scratch` holds
// linear_scratch_bytes(K).
const float* weight_rows(DType dtype, const void* w, int64_t K, int64_t begin, int64_t count, float* buffer, void* scratch) {
  const auto* bytes = static_cast<const uint8_t*>(w);
  if (dtype == DType::kF32) return static_cast<const float*>(w) + begin * K;
  if (!is_quantized(dtype)) {
    load(dtype, bytes + begin * row_bytes(dtype, K), buffer, count * K);
    return buffer;
  }
  for (int64_t i = 0; i < count;) {
    const int64_t first = (begin + i) % quant::kTileRows, rows = std::min(quant::kTileRows - first, count - i);
    active().widen_tile(dtype, bytes + (begin + i - first) * row_bytes(dtype, K), first, first + rows, K, buffer + i * K, scratch);
    i += rows;
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

// Outputs of a linear among those of a slab, which are the inputs of its sums.
struct Piece {
  const LinearGradient* linear;
  int64_t first, outputs, word;  // outputs [first, first + outputs) begin at this word of a row
};

struct Slab {
  std::array<Piece, kMaxPieces> pieces;
  size_t count = 0;
  int64_t words = 0;
};

// The next outputs of a group from output `first` of linear `index` on, which are moved behind them.
Slab take_slab(std::span<const LinearGradient> group, int64_t inputs_per_word, size_t& index, int64_t& first) {
  Slab slab;
  const int64_t most_words = kOutputsPerSlab / inputs_per_word;
  while (index < group.size() && slab.words < most_words && slab.count < kMaxPieces) {
    const int64_t outputs = std::min(group[index].N - first, (most_words - slab.words) * inputs_per_word);
    slab.pieces[slab.count++] = {&group[index], first, outputs, slab.words};
    slab.words += (outputs + inputs_per_word - 1) / inputs_per_word;
    first += outputs;
    if (first < group[index].N) break;
    first = 0;
    ++index;
  }
  return slab;
}

// The weights of a slab as panels of K columns.
void pack_weights(const MatmulKernels& kernels, std::span<const Piece> pieces, int64_t words, int64_t K, float* out) {
  int64_t num_blocks = 0;
  for (const Piece& piece : pieces) num_blocks += round_up(piece.outputs, kInputsPerPiece) / kInputsPerPiece;
  parallel_for_each(num_blocks, [&](int64_t block, int) {
    size_t i = 0;
    for (int64_t blocks; block >= (blocks = round_up(pieces[i].outputs, kInputsPerPiece) / kInputsPerPiece); ++i) block -= blocks;
    const auto& [linear, first, outputs, word] = pieces[i];
    const int64_t floats = kInputsPerPiece * K, n = block * kInputsPerPiece, count = std::min(kInputsPerPiece, outputs - n);
    float* panel = out + (word + n / kernels.inputs_per_word) * kPanelColumns;
    if (linear->dtype == DType::kBF16 && kernels.pack_panels_bf16 != nullptr) {
      const auto* rows = static_cast<const uint16_t*>(linear->w) + (first + n) * K;
      return kernels.pack_panels_bf16(rows, K, count, K, panel, words * kPanelColumns);
    }
    auto* buffer = static_cast<float*>(thread_scratch(floats * static_cast<int64_t>(sizeof(float)) + linear_scratch_bytes(K)));
    const float* rows = weight_rows(linear->dtype, linear->w, K, first + n, count, buffer, buffer + floats);
    kernels.pack_panels(rows, K, count, K, panel, words * kPanelColumns);
  });
}

}  // namespace

void linear_backward_input(std::span<const LinearGradient> group, int64_t T, int64_t K, float* dx, int64_t lddx, bool adds,
                           Compute compute) {
  const MatmulKernels& kernels = kernels_for(compute);
  int64_t first = 0;
  for (size_t index = 0; index < group.size(); adds = true) {
    const Slab slab = take_slab(group, kernels.inputs_per_word, index, first);
    const auto pieces = std::span(slab.pieces).first(slab.count);
    float* right = right_operand(slab.words * round_up(K, kPanelColumns));
    pack_weights(kernels, pieces, slab.words, K, right);
    const float* left = pieces[0].linear->dy + pieces[0].first;
    int64_t lda = pieces[0].linear->lddy;
    if (kernels.inputs_per_word > 1 || pieces.size() > 1) {
      lda = row_words(slab.words);
      float* rows = left_operand(T * lda);
      parallel_for(T, 8, [&](int64_t begin, int64_t end, int) {
        for (const auto& [linear, from, outputs, word] : pieces) {
          kernels.pack_rows(linear->dy + begin * linear->lddy + from, linear->lddy, end - begin, outputs, rows + begin * lda + word, lda);
        }
      });
      left = rows;
    }
    multiply_panels(kernels, left, lda, right, slab.words, T, K, dx, lddx, adds);
  }
}

void linear_backward_weight(std::span<const LinearGradient> group, const LinearInput& x, int64_t T, int64_t K, Compute compute) {
  const KernelTable& table = active();
  const MatmulKernels& kernels = kernels_for(compute);
  const int64_t inputs = kernels.inputs_per_word, words = (T + inputs - 1) / inputs, lda = row_words(words);
  float* right = right_operand(words * round_up(K, kPanelColumns));
  parallel_for(T, kInputsPerPiece, [&](int64_t begin, int64_t end, int) {
    const bool is_stored = x.kind == LinearInput::Kind::kRows;
    auto* made = static_cast<float*>(thread_scratch(kInputsPerPiece * K * static_cast<int64_t>(sizeof(float))));
    for (int64_t t = begin; t < end; t += kInputsPerPiece) {
      const int64_t count = std::min(kInputsPerPiece, end - t);
      for (int64_t i = 0; i < count && !is_stored; ++i) input_row(table, x, t + i, K, made + i * K);
      kernels.pack_panels(is_stored ? x.x + t * x.ldx : made, is_stored ? x.ldx : K, count, K, right + t / inputs * kPanelColumns,
                          words * kPanelColumns);
    }
  });
  for (const LinearGradient& linear : group) {
    float* left = left_operand(std::min(linear.N, kOutputsPerSlab) * lda);
    for (int64_t first = 0; first < linear.N; first += kOutputsPerSlab) {
      const int64_t outputs = std::min(kOutputsPerSlab, linear.N - first);
      parallel_for(outputs, kPanelColumns, [&](int64_t begin, int64_t end, int) {
        kernels.pack_turned(linear.dy + first + begin, linear.lddy, T, end - begin, left + begin * lda, lda);
      });
      multiply_panels(kernels, left, lda, right, words, outputs, K, linear.dw + first * K, K, linear.adds);
    }
  }
}

void linear_backward_bias(const float* dy, int64_t lddy, int64_t T, int64_t N, float* db) {
  const KernelTable& table = active();
  parallel_for(N, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = 0; t < T; ++t) table.add(db + begin, dy + t * lddy + begin, db + begin, end - begin);
  });
}

}  // namespace atelier::kernels
