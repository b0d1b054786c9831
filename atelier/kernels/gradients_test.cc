// Backward kernels of every rung against their scalar twins, and the same bits for any number of threads.
#include "atelier/kernels/gradients.h"

#include <cmath>

#include "atelier/kernels/low_rank.h"
#include "atelier/parallel/parallel.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

const KernelTable& reference() { return kernel_table(Isa::kScalar); }

class GradientsOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  const KernelTable& table() const { return *GetParam().table; }
};
INSTANTIATE_TEST_SUITE_P(Simd, GradientsOfIsa, testing::ValuesIn(simd_tables()), name_of);

void expect_near(const std::vector<float>& got, const std::vector<float>& wanted, double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  double squares = 0, errors = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    squares += std::pow(wanted[i], 2);
    errors += std::pow(static_cast<double>(got[i]) - static_cast<double>(wanted[i]), 2);
  }
  EXPECT_LE(std::sqrt(errors), tolerance * std::sqrt(squares));
}

TEST_P(GradientsOfIsa, activations_equal_their_scalar_twins) {
  constexpr int64_t kCount = 133;
  const std::vector<float> x = random_floats(kCount, 1, 3), up = random_floats(kCount, 2), dy = random_floats(kCount, 3);
  for (const Activation f :
       {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kGeluTanh, Activation::kSilu, Activation::kTanh}) {
    std::vector<float> got(kCount), wanted(kCount), got_up(kCount), wanted_up(kCount);
    table().activate_backward(f, x.data(), dy.data(), got.data(), kCount);
    reference().activate_backward(f, x.data(), dy.data(), wanted.data(), kCount);
    expect_near(got, wanted, 2e-6);
    table().gated_activate_backward(f, x.data(), up.data(), dy.data(), got.data(), got_up.data(), kCount);
    reference().gated_activate_backward(f, x.data(), up.data(), dy.data(), wanted.data(), wanted_up.data(), kCount);
    expect_near(got, wanted, 2e-6);
    expect_near(got_up, wanted_up, 2e-6);
  }
}

TEST_P(GradientsOfIsa, norms_and_softmax_equal_their_scalar_twins) {
  for (const int64_t C : {5, 64, 131}) {
    const std::vector<float> x = random_floats(C, 1, 2), weight = random_floats(C, 2), dy = random_floats(C, 3);
    const auto size = static_cast<size_t>(C);
    std::vector<float> got(size), wanted(size), statistics(2), wanted_statistics(2), dw(size, 1), wanted_dw(size, 1);
    for (const auto norm : {&KernelTable::rms_norm_backward, &KernelTable::layer_norm_backward}) {
      (table().*norm)(x.data(), weight.data(), 1e-5f, dy.data(), got.data(), statistics.data(), C);
      (reference().*norm)(x.data(), weight.data(), 1e-5f, dy.data(), wanted.data(), wanted_statistics.data(), C);
      expect_near(got, wanted, 2e-6);
      table().norm_weight_backward(x.data(), dy.data(), statistics.data(), dw.data(), nullptr, C);
      reference().norm_weight_backward(x.data(), dy.data(), wanted_statistics.data(), wanted_dw.data(), nullptr, C);
      expect_near(dw, wanted_dw, 2e-6);
    }
    table().softmax_backward(x.data(), 1.5f, 0.3f, got.data(), C);
    reference().softmax_backward(x.data(), 1.5f, 0.3f, wanted.data(), C);
    expect_near(got, wanted, 2e-6);
  }
}

// Both kinds of left operand times a panel, for sizes that fill no tile.
void check_matmul(const MatmulKernels& kernels, double tolerance) {
  const int64_t M = 17, N = 71, K = 297, panels = 2, words = (K + kernels.inputs_per_word - 1) / kernels.inputs_per_word;
  const std::vector<float> a = random_floats(M * K, 1), turned = random_floats(K * M, 2), b = random_floats(K * N, 3);
  std::vector<float> rows(static_cast<size_t>(M * words)), panel(static_cast<size_t>(panels * words * kPanelColumns));
  kernels.pack_panels(b.data(), N, K, N, panel.data(), words * kPanelColumns);
  for (const bool is_turned : {false, true}) {
    if (is_turned) {
      kernels.pack_turned(turned.data(), M, K, M, rows.data(), words);
    } else {
      kernels.pack_rows(a.data(), K, M, K, rows.data(), words);
    }
    std::vector<float> got(static_cast<size_t>(M * N), 2), wanted(got);
    for (int64_t p = 0; p < panels; ++p) {
      kernels.multiply(rows.data(), words, panel.data() + p * words * kPanelColumns, kPanelColumns, words, M,
                       std::min(kPanelColumns, N - p * kPanelColumns), got.data() + p * kPanelColumns, N, true);
    }
    for (int64_t m = 0; m < M; ++m) {
      for (int64_t n = 0; n < N; ++n) {
        double sum = 2;
        for (int64_t k = 0; k < K; ++k) {
          sum += static_cast<double>(is_turned ? turned[static_cast<size_t>(k * M + m)] : a[static_cast<size_t>(m * K + k)]) *
                 static_cast<double>(b[static_cast<size_t>(k * N + n)]);
        }
        wanted[static_cast<size_t>(m * N + n)] = static_cast<float>(sum);
      }
    }
    expect_near(got, wanted, tolerance);
  }
}

TEST_P(GradientsOfIsa, matrix_products_are_exact_within_rounding) {
  check_matmul(table().matmul_f32, 1e-6);
  if (table().matmul_bf16.multiply != nullptr) check_matmul(table().matmul_bf16, 4e-3);
}
TEST(GradientsScalar, matrix_products_are_exact_within_rounding) { check_matmul(reference().matmul_f32, 1e-6); }

TEST_P(GradientsOfIsa, attention_equals_its_scalar_twin) {
  const int64_t T = 83, heads = 2, D = 24;
  const std::vector<float> q = random_floats(T * heads * D, 1), k = random_floats(T * D, 2), v = random_floats(T * D, 3);
  const std::vector<float> d_out = random_floats(T * heads * D, 4), deltas = random_floats(T * heads, 5, 0.1f), slopes = {0.2f, 0.1f};
  const std::vector<float> log_sums(static_cast<size_t>(T * heads), 12.0f);  // above every score, as log-sums are
  const int64_t reach = 21, num_biases = heads * (2 * reach + 1);
  const std::vector<float> biases = random_floats(num_biases, 6);
  // dq, dk, dv and the gradient of biases; the first `rows` queries over all keys.
  const auto run = [&](const AttentionShape& shape, int64_t rows, int64_t prefix, auto kernel) {
    std::vector<float> out(static_cast<size_t>(T * (heads + 2) * D + num_biases));
    std::vector<float> scratch(static_cast<size_t>(attention_backward_floats(D, T, heads)));
    AttentionBackwardBlock block{.q = q.data(),
                                 .d_out = d_out.data(),
                                 .dq = out.data(),
                                 .ldq = heads * D,
                                 .k = k.data(),
                                 .v = v.data(),
                                 .dk = out.data() + T * heads * D,
                                 .dv = out.data() + T * (heads + 1) * D,
                                 .ldk = D,
                                 .log_sums = log_sums.data(),
                                 .deltas = deltas.data(),
                                 .ld_sums = heads,
                                 .num_rows = rows,
                                 .num_keys = T,
                                 .num_heads = heads,
                                 .prefix = prefix,
                                 .alibi_slopes = shape.alibi_slopes,
                                 .relative_bias = shape.relative_bias,
                                 .d_relative_bias = shape.relative_bias ? out.data() + T * (heads + 2) * D : nullptr};
    kernel(shape, block, scratch.data());
    return out;
  };
  const AttentionShape plain{.num_heads = heads, .num_kv_heads = 1, .head_dim = D, .scale = 0.2f};
  AttentionShape window = plain, cap = plain, alibi = plain, biased = plain;
  window.window = 19;
  cap.soft_cap = 1.5f;
  alibi.alibi_slopes = slopes.data();
  biased.relative_bias = biases.data();
  biased.reach = reach;
  for (const AttentionShape& shape : {plain, window, cap, alibi, biased}) {
    for (const auto& [rows, prefix] : {std::pair(T, int64_t{0}), std::pair(T, int64_t{70}), std::pair(T, T), std::pair(int64_t{10}, T)}) {
      if (prefix > 0 && shape.alibi_slopes != nullptr) continue;  // scores would rise above the log-sums
      if (rows < T && shape.window > 0) continue;                 // keys of another sequence have no window
      const std::vector<float> wanted = run(shape, rows, prefix, reference().attention_backward_f32);
      expect_near(run(shape, rows, prefix, table().attention_backward_f32), wanted, 2e-6);
      if (table().attention_backward_bf16) expect_near(run(shape, rows, prefix, table().attention_backward_bf16), wanted, 1e-2);
    }
  }
}

TEST(GradientDrivers, have_the_same_bits_for_any_number_of_threads) {
  const int64_t T = 150, N = 130, K = 200, R = 5;
  const std::vector<float> x = random_floats(T * K, 1), w = random_floats(N * K, 2), dy = random_floats(T * N, 3),
                           a = random_floats(R * K, 4), b = random_floats(N * R, 5);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    std::vector<float> out;
    const auto append = [&](const std::vector<float>& part) { out.insert(out.end(), part.begin(), part.end()); };
    for (const Compute compute : {Compute::kF32, Compute::kBF16}) {
      std::vector<float> dx(static_cast<size_t>(T * K)), dw(static_cast<size_t>(N * K)), db(static_cast<size_t>(N));
      const LinearGradient gradient{DType::kF32, w.data(), N, dy.data(), N, dw.data()};
      linear_backward_input({&gradient, 1}, T, K, dx.data(), K, false, compute);
      linear_backward_weight({&gradient, 1}, {x.data(), K}, T, K, compute);
      linear_backward_bias(dy.data(), N, T, N, db.data());
      append(dx), append(dw), append(db);
    }
    std::vector<float> h(static_cast<size_t>(T * R)), y(static_cast<size_t>(T * N)), da(static_cast<size_t>(R * K)),
        db(static_cast<size_t>(N * R)), dh(static_cast<size_t>(T * R));
    const LowRankShape shape{T, K, N, R};
    low_rank_forward(shape, x.data(), a.data(), b.data(), 0.5f, h.data(), y.data());
    low_rank_backward(shape, x.data(), b.data(), 0.5f, h.data(), dy.data(), {da.data(), db.data(), dh.data()});
    append(h), append(y), append(da), append(db), append(dh);
    set_num_threads(available_cores());
    return out;
  };
  const std::vector<float> one = run(1), three = run(3);
  EXPECT_EQ(std::memcmp(one.data(), three.data(), one.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace atelier::kernels
