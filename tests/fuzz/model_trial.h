// Loads a model that a damaged file holds and runs it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/models/model.h"
#include "tests/fuzz/tokenizer_trial.h"

namespace atelier::fuzz {

// A new file instead of a truncated one: ext4 flushes those to disk on close, which is slower than all the rest.
inline void put_file(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) fail("cannot write " + path);
}

inline void try_forward(models::Model& model) {
  auto cache = model.new_cache(16);
  check_refusal(cache.status());
  if (!cache.ok()) return;
  const std::vector<int32_t> ids = {0, 1, 2, 3};
  const auto logits = model.forward(ids, *cache, 4);
  check_refusal(logits.status());
  if (logits.ok() && logits->size() != ids.size() * static_cast<size_t>(model.spec().vocab_size)) fail("wrong number of logits");
}

inline void try_model(const std::string& path) {
  for (const Precision precision : {Precision::kF32, Precision::kAuto}) {
    models::LoadOptions options;
    options.precision = precision;
    options.context = 16;
    auto model = models::load_model(path, options);
    check_refusal(model.status());
    if (!model.ok()) return;
    try_forward(**model);
    if (const auto tokenizer = (*model)->tokenizer(); tokenizer.ok()) {
      try_tokenizer(**tokenizer);
    } else {
      check_refusal(tokenizer.status());
    }
  }
}

}  // namespace atelier::fuzz
