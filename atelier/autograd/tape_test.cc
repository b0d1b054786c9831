#include "atelier/autograd/tape.h"

#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "atelier/tensor/arena.h"

namespace atelier {
namespace {

Tensor scalar(float value) {
  Tensor x = Tensor::zeros(DType::kF32, {1});
  *x.f32() = value;
  return x;
}

// y = a * b of one element each.
Tensor product(Tape& tape, Arena& arena, const Tensor& a, const Tensor& b) {
  Tensor y = arena.empty_f32({1});
  *y.f32() = *a.f32() * *b.f32();
  tape.record(y, [a, b, y](Tape& t) {
    const float dy = *t.gradient(y);
    *Contribution(t, a).data() = dy * *b.f32();
    *Contribution(t, b).data() = dy * *a.f32();
  });
  return y;
}

class TapeTest : public testing::Test {
 protected:
  void watch(const Tensor& parameter, Tensor& gradient) {
    gradient = Tensor::zeros(DType::kF32, parameter.shape());
    tape_.watch(parameter, gradient);
  }
  void seed(const Tensor& y) { *Contribution(tape_, y).data() = 1; }

  Arena arena_;
  Tape tape_;
};

TEST_F(TapeTest, gradients_of_a_value_used_twice_add_up) {
  const Tensor x = scalar(3);
  Tensor dx;
  watch(x, dx);
  const Tensor cube = product(tape_, arena_, product(tape_, arena_, x, x), x);
  seed(cube);
  tape_.backward();
  EXPECT_EQ(*dx.f32(), 27);  // 3 x^2
}

TEST_F(TapeTest, a_value_written_over_gives_back_the_gradient_of_what_it_was) {
  const Tensor x = scalar(3);
  Tensor dx;
  watch(x, dx);
  EXPECT_FALSE(tape_.can_change(x)) << "a parameter stays";
  Tensor y = product(tape_, arena_, x, x);
  ASSERT_TRUE(tape_.can_change(y));
  *y.f32() *= 5;
  tape_.record_change(y, [y](Tape& t) { *t.sums(y) *= 5; });
  seed(product(tape_, arena_, y, x));
  tape_.backward();
  EXPECT_EQ(*dx.f32(), 5 * 27);  // 5 x^3
}

TEST_F(TapeTest, parameters_add_up_until_they_are_zeroed) {
  const Tensor x = scalar(2);
  Tensor dx;
  watch(x, dx);
  for (const float wanted : {4.0f, 8.0f}) {
    seed(product(tape_, arena_, x, x));
    tape_.backward();
    EXPECT_EQ(*dx.f32(), wanted);
  }
  tape_.zero_gradients();
  tape_.backward();
  EXPECT_EQ(*dx.f32(), 0);
}

TEST_F(TapeTest, nodes_without_a_gradient_are_not_called) {
  const Tensor x = scalar(2);
  Tensor dx;
  watch(x, dx);
  bool is_called = false;
  const Tensor unused = arena_.empty_f32({1});
  tape_.record(unused, [&](Tape&) { is_called = true; });
  seed(product(tape_, arena_, x, x));
  tape_.backward();
  EXPECT_FALSE(is_called);
}

TEST_F(TapeTest, passing_on_moves_or_adds) {
  const Tensor x = scalar(5), y = arena_.empty_f32({1}), z = arena_.empty_f32({1});
  Tensor dx;
  watch(x, dx);
  tape_.record(y, [x, y](Tape& t) { t.pass(y, x); });
  tape_.record(z, [y, z](Tape& t) {
    *Contribution(t, y).data() = 10;
    t.pass(z, y);
  });
  seed(z);
  tape_.backward();
  EXPECT_EQ(*dx.f32(), 11);
}

TEST_F(TapeTest, a_part_recorded_during_the_walk_is_walked_on_its_own) {
  const Tensor x = scalar(3);
  Tensor dx;
  watch(x, dx);
  Tensor y = arena_.empty_f32({1});
  *y.f32() = 9;
  tape_.record(y, [this, x, y](Tape& t) {  // y = x^2, made again here
    const Arena::Mark arena_mark = arena_.mark();
    const Tape::Mark mark = t.mark();
    const Tensor again = product(t, arena_, x, x);
    t.pass(y, again);
    t.backward_to(mark);
    arena_.rewind(arena_mark);
  });
  seed(product(tape_, arena_, y, x));
  tape_.backward();
  EXPECT_EQ(*dx.f32(), *y.f32() + 18);  // of y x with y = x^2: y + 2 x^2
}

TEST_F(TapeTest, two_values_at_one_address_are_a_broken_invariant) {
  const Tensor y = arena_.empty_f32({1});
  tape_.record(y, [](Tape&) {});
  EXPECT_THROW(tape_.record(y, [](Tape&) {}), InternalError);
}

TEST_F(TapeTest, forgets_without_a_walk) {
  const Tensor x = scalar(3);
  Tensor dx;
  watch(x, dx);
  const Tensor y = product(tape_, arena_, x, x);
  tape_.clear();
  EXPECT_FALSE(tape_.needs_gradient(y));
  EXPECT_TRUE(tape_.needs_gradient(x));
}

}  // namespace
}  // namespace atelier
