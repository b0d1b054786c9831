#include "atelier/cli/token_input.h"

#include <fmt/format.h>

#include "atelier/cli/inputs.h"

namespace atelier::cli {

void TokenInput::declare(Args& args) {
  args.option("--ids", ids_, "LIST", "token ids such as 1,17,45, taken as given; needs no tokenizer");
  args.option("-p,--prompt", prompt_, "TEXT", "a text, tokenized as the model wants it");
  args.flag("--special", parse_special_, "the text may spell special tokens such as <|im_end|>");
}

Status TokenInput::check(const char* verb) const {
  if (ids_.has_value() != prompt_.has_value()) return {};
  return Status::invalid(
      fmt::format("input: {} of --ids and --prompt, exactly one is needed; see atelier {} --help", ids_ ? "both" : "none", verb));
}

Result<std::vector<int32_t>> TokenInput::ids(const models::Model& model) const {
  if (ids_) return parse_ids(*ids_);
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  tokenize::EncodeOptions options;
  options.parse_special = parse_special_;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer->encode(*prompt_, options));
  return std::move(encoding.ids);
}

}  // namespace atelier::cli
