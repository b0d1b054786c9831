// Normalizers rewrite text before it is cut into pieces; their names and fields are those of tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/line_cut.h"

namespace atelier::tokenize {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual Status apply(AlignedText& text) const = 0;
  virtual LineCut at_line_cut() const { return LineCut::kUnsafe; }
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  Status apply(AlignedText& text) const override {
    for (const auto& step : steps_) ATELIER_RETURN_IF_ERROR(step->apply(text));
    return {};
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

// The `normalizer` object of a tokenizer.json. `name` stands in error messages.
Result<std::unique_ptr<Normalizer>> create_normalizer(const Json& json, const std::string& name, int depth = 0);

}  // namespace atelier::tokenize
