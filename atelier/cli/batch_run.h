// `generate` and `chat` with --input and --output: many requests from a file of JSON Lines, many at a time, results as they finish.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "atelier/cli/batch_request.h"
#include "atelier/cli/command.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/token_text.h"

namespace atelier::cli {

class BatchArgs {
 public:
  void declare(Args& args);

  bool is_given() const { return input_.has_value() || output_.has_value(); }
  int64_t parallel() const { return is_given() ? parallel_ : 1; }

  // What a line becomes, and what its record says when it has ended.
  struct Prepared {
    std::vector<int32_t> prompt;
    std::function<void(const generate::Generation& generation, Json& record)> describe;
  };
  using Prepare = std::function<Result<Prepared>(const BatchLine& line)>;

  // Runs all lines whose ids the output does not hold yet. A line that is wrong or fails becomes a record with an "error" and stops
  // nothing. Cancelled when it was interrupted: what has finished is in the output.
  Status run(generate::Engine& engine, const generate::GenerateOptions& defaults, const generate::TokenText& token_text,
             const Prepare& prepare, Console& console) const;

 private:
  std::optional<std::string> input_, output_;
  int64_t parallel_ = 16;
};

}  // namespace atelier::cli
