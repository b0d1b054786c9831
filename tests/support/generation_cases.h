// For tests of generation: the tiny golden models, ready to generate, and prompts for them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/rng.h"
#include "atelier/models/model.h"
#include "atelier/parallel/parallel.h"

namespace atelier::generate {

inline constexpr int32_t kPromptIds = 70;  // every golden model has at least as many tokens

inline std::unique_ptr<models::Model> load(const std::string& path, models::LoadOptions options) {
  auto model = models::load_model(path, options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

inline std::unique_ptr<models::Model> load_golden(const std::string& name, int64_t context, std::optional<DType> kv = {}) {
  return load(ATELIER_SOURCE_DIR "/tests/golden/models/" + name, {.kv = kv, .context = context});
}

inline std::vector<int32_t> random_prompt(int64_t length, uint64_t seed) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < length; ++i) ids.push_back(static_cast<int32_t>(random_bits(seed, 0, static_cast<uint64_t>(i)) % kPromptIds));
  return ids;
}

}  // namespace atelier::generate
