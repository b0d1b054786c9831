// Optimizer steps of every ISA: the bits of the scalar twin, whatever the number of threads.
#include "atelier/kernels/update.h"

#include <gtest/gtest.h>

#include "atelier/parallel/parallel.h"
#include "tests/support/kernel_tables.h"

namespace atelier::kernels {
namespace {

class UpdateOfIsa : public testing::TestWithParam<NamedTable> {
 protected:
  const KernelTable& table() const { return *GetParam().table; }
  const KernelTable& twin() const { return kernel_table(Isa::kScalar); }
};
INSTANTIATE_TEST_SUITE_P(Simd, UpdateOfIsa, testing::ValuesIn(simd_tables()), name_of);

constexpr int64_t kCount = 77;  // no multiple of any vector

struct State {
  std::vector<float> w = random_floats(kCount, 1), g = random_floats(kCount, 2), m = random_floats(kCount, 3), v = random_floats(kCount, 4);
  State() {
    for (float& x : v) x = x * x;
    g[5] = 0;
    m[5] = 0;  // of sign 0 for Lion
  }
  bool operator==(const State&) const = default;
};

template <class Step>
void expect_same(const Step& step) {
  State one, two;
  step(one, true);
  step(two, false);
  EXPECT_EQ(one, two);
  EXPECT_NE(one.w, State().w);
}

TEST_P(UpdateOfIsa, steps_have_the_bits_of_the_scalar_twin) {
  const auto choose = [&](bool is_twin) -> const KernelTable& { return is_twin ? twin() : table(); };
  expect_same([&](State& s, bool is_twin) {
    choose(is_twin).adam_update(s.w.data(), s.g.data(), s.m.data(), s.v.data(), kCount, {0.7f, 0.9f, 0.95f, 0.999f, 0.01f, 1.3f, 1e-8f});
  });
  for (const bool is_nesterov : {false, true}) {
    expect_same([&](State& s, bool is_twin) {
      choose(is_twin).momentum_update(s.w.data(), s.g.data(), s.m.data(), kCount, {0.7f, 0.1f, 0.9f, 0.8f, 0.01f, is_nesterov});
    });
  }
  expect_same([&](State& s, bool is_twin) {
    choose(is_twin).rmsprop_update(s.w.data(), s.g.data(), s.v.data(), kCount, {0.7f, 0.1f, 0.99f, 0.01f, 1e-8f});
  });
  expect_same([&](State& s, bool is_twin) {
    choose(is_twin).lion_update(s.w.data(), s.g.data(), s.m.data(), kCount, {0.7f, 0.9f, 0.99f, 0.999f, 0.01f});
  });
  expect_same([&](State& s, bool is_twin) { choose(is_twin).average_update(s.w.data(), s.g.data(), kCount, 0.1f); });
}

TEST_P(UpdateOfIsa, sum_of_squares_is_exact_within_rounding) {
  const std::vector<float> x = random_floats(kCount, 9);
  const double want = twin().sum_of_squares(x.data(), kCount);
  EXPECT_NEAR(table().sum_of_squares(x.data(), kCount), want, 1e-7 * want);
}

TEST(Update, sum_of_squares_does_not_depend_on_threads) {
  const std::vector<float> x = random_floats(500'000, 7);
  const int before = num_threads();
  set_num_threads(1);
  const double one = sum_of_squares(x.data(), 500'000);
  set_num_threads(3);
  EXPECT_EQ(sum_of_squares(x.data(), 500'000), one);
  set_num_threads(before);
}

}  // namespace
}  // namespace atelier::kernels
