#include "atelier/convert/presets.h"

#include <gtest/gtest.h>

#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

constexpr ModelFacts kSmall{.num_layers = 32, .num_heads = 32, .num_kv_heads = 8};

DType type_of(const char* preset, const std::string& name, std::vector<int64_t> shape = {512, 512}, ModelFacts facts = kSmall) {
  return choose_type(*find_preset(preset).value(), facts, {name, DType::kBF16, std::move(shape)}).type;
}

TEST(Presets, every_type_that_they_use_can_be_written) {
  for (const Preset& preset : presets()) EXPECT_TRUE(quant::can_pack(preset.type)) << preset.name;
}

TEST(Presets, are_found_in_any_case_and_by_family) {
  EXPECT_STREQ(find_preset("q4_k_m").value()->name, "Q4_K_M");
  EXPECT_STREQ(find_preset("Q5_K").value()->name, "Q5_K_M");
  EXPECT_STREQ(find_preset("bf16").value()->name, "BF16");
}

TEST(Presets, an_unknown_name_gives_the_nearest) {
  const Status status = find_preset("Q4_KM").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("did you mean Q4_K_M?"), std::string::npos) << status.message();
  EXPECT_FALSE(find_preset("IQ4_NL").ok());
}

TEST(ChooseType, vectors_norms_and_positions_keep_their_type) {
  for (const char* name : {"blk.0.attn_norm.weight", "blk.0.attn_q.bias", "output_norm.weight"}) {
    EXPECT_EQ(type_of("Q4_K_M", name, {512}), DType::kBF16) << name;
  }
  EXPECT_EQ(type_of("Q4_K_M", "position_embd.weight"), DType::kBF16);
  EXPECT_EQ(type_of("F16", "blk.0.attn_q.weight"), DType::kF16);
}

TEST(ChooseType, the_output_gets_six_bits_and_a_tied_embedding_with_it) {
  ModelFacts tied = kSmall;
  tied.has_tied_head = true;
  EXPECT_EQ(type_of("Q4_K_S", "output.weight"), DType::kQ6_K);
  EXPECT_EQ(type_of("Q4_0", "output.weight"), DType::kQ6_K);
  EXPECT_EQ(type_of("Q8_0", "output.weight"), DType::kQ8_0);
  EXPECT_EQ(type_of("Q4_K_S", "token_embd.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of("Q4_K_S", "token_embd.weight", {512, 512}, tied), DType::kQ6_K);
  EXPECT_EQ(type_of("Q4_K_S", "token_embd.weight", {512, 576}, tied), DType::kQ8_0) << "a row of 576 is no multiple of 256";
}

TEST(ChooseType, medium_mixtures_give_more_bits_to_the_outer_layers_and_every_third) {
  for (const auto& [layer, is_more] :
       {std::pair{0, true}, {3, true}, {4, false}, {5, false}, {6, true}, {27, true}, {28, true}, {31, true}}) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    EXPECT_EQ(type_of("Q4_K_M", block + "attn_v.weight"), is_more ? DType::kQ6_K : DType::kQ4_K) << layer;
    EXPECT_EQ(type_of("Q5_K_M", block + "ffn_down.weight"), is_more ? DType::kQ6_K : DType::kQ5_K) << layer;
    EXPECT_EQ(type_of("Q4_K_M", block + "ffn_up.weight"), DType::kQ4_K) << layer;
  }
}

TEST(ChooseType, small_mixtures_give_more_bits_to_the_first_layers) {
  EXPECT_EQ(type_of("Q4_K_S", "blk.3.attn_v.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of("Q4_K_S", "blk.4.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of("Q4_K_S", "blk.3.ffn_down.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of("Q4_K_S", "blk.4.ffn_down.weight"), DType::kQ4_K);
}

TEST(ChooseType, two_and_three_bits_are_not_for_values_and_outputs) {
  ModelFacts one_to_one = kSmall;
  one_to_one.num_kv_heads = 32;
  EXPECT_EQ(type_of("Q2_K", "blk.9.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of("Q2_K", "blk.9.attn_v.weight", {512, 512}, one_to_one), DType::kQ3_K);
  EXPECT_EQ(type_of("Q2_K", "blk.9.attn_output.weight"), DType::kQ3_K);
  EXPECT_EQ(type_of("Q3_K_M", "blk.1.attn_v.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of("Q3_K_M", "blk.2.attn_v.weight"), DType::kQ4_K);
  EXPECT_EQ(type_of("Q3_K_M", "blk.1.ffn_down.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of("Q3_K_L", "blk.9.attn_output.weight"), DType::kQ5_K);
  EXPECT_EQ(type_of("Q3_K_S", "blk.9.ffn_down.weight"), DType::kQ3_K);
}

TEST(ChooseType, rows_that_do_not_fit_fall_back_as_in_llama_cpp) {
  const auto fallback = [](const char* preset, int64_t row) {
    return choose_type(*find_preset(preset).value(), kSmall, {"blk.9.attn_q.weight", DType::kF32, {64, row}});
  };
  EXPECT_EQ(fallback("Q2_K", 576).type, DType::kQ4_0);
  EXPECT_EQ(fallback("Q3_K_S", 576).type, DType::kQ4_0);
  EXPECT_EQ(fallback("Q4_K_M", 576).type, DType::kQ5_0);
  EXPECT_EQ(fallback("Q5_K_M", 576).type, DType::kQ5_1);
  EXPECT_EQ(fallback("Q6_K", 576).type, DType::kQ8_0);
  EXPECT_TRUE(fallback("Q6_K", 576).is_fallback);
  EXPECT_EQ(fallback("Q6_K", 40).type, DType::kF16);
  EXPECT_EQ(fallback("Q8_0", 40).type, DType::kF16);
  EXPECT_FALSE(fallback("Q8_0", 64).is_fallback);
}

TEST(ChooseType, importance_changes_the_first_layers_of_the_older_types) {
  ModelFacts facts = kSmall;
  facts.has_importance = true;
  EXPECT_EQ(type_of("Q4_0", "blk.3.ffn_down.weight", {512, 512}, facts), DType::kQ4_1);
  EXPECT_EQ(type_of("Q4_0", "blk.4.ffn_down.weight", {512, 512}, facts), DType::kQ4_0);
  EXPECT_EQ(type_of("Q4_0", "blk.3.ffn_down.weight"), DType::kQ4_0);
}

TEST(ChooseType, models_of_seventy_billion_weights_get_more_for_their_values) {
  const ModelFacts large{.num_layers = 80, .num_heads = 64, .num_kv_heads = 8};
  EXPECT_EQ(type_of("Q4_K_S", "blk.40.attn_v.weight", {512, 512}, large), DType::kQ5_K);
}

}  // namespace
}  // namespace atelier::convert
