// `atelier quantize`: any model that we can read into a GGUF file of smaller types.
//
//   ATELIER_TRY(convert::QuantizeReport report, convert::quantize_model("smollm2/", "smollm2-q4_k_m.gguf", {.type = "Q4_K_M"}));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/dtype.h"
#include "atelier/base/status.h"
#include "atelier/convert/gguf_plan.h"
#include "atelier/convert/importance.h"
#include "atelier/convert/tensor_stream.h"

namespace atelier::convert {

inline constexpr const char* kKeepTypes = "keep";  // a type: every tensor stays as the plan has it

struct QuantizeOptions {
  std::string type = "Q4_K_M";                   // name of a preset (presets.h), or kKeepTypes
  const ImportanceMatrix* importance = nullptr;  // weights the errors of packing where it knows the matrix
  Progress progress;
};

struct TensorChange {
  std::string name;
  DType from, to;
  std::vector<int64_t> shape;
  bool is_fallback;     // the wanted type has blocks that do not fit the row
  bool has_importance;  // the importance matrix knew it
};

struct QuantizeReport {
  std::vector<TensorChange> tensors;
  int64_t source_bytes = 0, target_bytes = 0;  // of the tensors
  std::vector<std::string> notes;              // what a user should know, one line each
};

// Gives the plan's tensors their types and writes them. The target is checked by the caller.
Result<QuantizeReport> write_plan(GgufPlan plan, const std::string& target, const QuantizeOptions& options);

// InvalidArgument when the two are the same file.
Status check_target(const std::string& source, const std::string& target);

// `source` is a GGUF file or a Hugging Face folder, `target` the file to write; it appears when it is whole. Source and target may
// not be the same file.
Result<QuantizeReport> quantize_model(const std::string& source, const std::string& target, const QuantizeOptions& options);

}  // namespace atelier::convert
