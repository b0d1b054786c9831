#include "atelier/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "atelier/base/error.h"
#include "atelier/tensor/arena.h"

namespace atelier {
namespace {

TEST(Shape, knows_its_count_and_prints_like_pytorch) {
  EXPECT_EQ(Shape({2, 3, 4}).count(), 24);
  EXPECT_EQ(Shape({2, 3, 4})[-1], 4);
  EXPECT_EQ(Shape().count(), 1);
  EXPECT_EQ(Shape({2, 8}).to_string(), "[2, 8]");
  EXPECT_THROW(Shape({1, 2, 3, 4, 5}), ShapeError);
  EXPECT_THROW(Shape({-1}), ShapeError);
}

TEST(Tensor, rows_are_views_of_the_same_memory) {
  Tensor x = Tensor::zeros(DType::kF32, {4, 2});
  for (int i = 0; i < 8; ++i) x.f32()[i] = static_cast<float>(i);
  const Tensor middle = x.rows(1, 3);
  EXPECT_EQ(middle.shape(), Shape({2, 2}));
  EXPECT_EQ(middle.f32()[0], 2);
  x.f32()[2] = 42;
  EXPECT_EQ(middle.f32()[0], 42);
  EXPECT_THROW(static_cast<void>(x.rows(3, 5)), ShapeError);
}

TEST(Tensor, rows_of_a_quantized_matrix_are_whole_blocks) {
  const Tensor x = Tensor::zeros(DType::kQ4_K, {3, 512});
  EXPECT_EQ(x.num_bytes(), 3 * 2 * 144);
  const auto* base = static_cast<const uint8_t*>(x.data());
  EXPECT_EQ(static_cast<const uint8_t*>(x.rows(2, 3).data()) - base, 2 * 2 * 144);
}

TEST(Tensor, keeps_its_owner_alive) {
  auto owner = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = owner;
  Tensor x = Tensor::view(DType::kI32, {1}, owner.get(), owner);
  owner.reset();
  EXPECT_FALSE(watch.expired());
  x = Tensor();
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, f32_of_another_type_throws) {
  const Tensor x = Tensor::zeros(DType::kF16, {4});
  EXPECT_THROW(static_cast<void>(x.f32()), DTypeError);
}

TEST(Arena, gives_aligned_tensors_that_do_not_overlap_and_takes_them_back) {
  Arena arena;
  Tensor a = arena.empty_f32({3});
  Tensor b = arena.empty_f32({1000});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % 64, 0u);
  EXPECT_GE(b.f32() - a.f32(), 3);
  const Arena::Mark mark = arena.mark();
  const void* first = arena.empty_f32({5}).data();
  arena.rewind(mark);
  EXPECT_EQ(arena.empty_f32({7}).data(), first);
}

TEST(Arena, a_steady_step_takes_no_new_memory) {
  Arena arena;
  const auto step = [&] {
    arena.reset();
    for (const int64_t n : {100, 400000, 17, 900000}) static_cast<void>(arena.empty_f32({n}));
  };
  step();
  step();
  const size_t after_two = arena.capacity_bytes();
  for (int i = 0; i < 5; ++i) step();
  EXPECT_EQ(arena.capacity_bytes(), after_two);
}

}  // namespace
}  // namespace atelier
