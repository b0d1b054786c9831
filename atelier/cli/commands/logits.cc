// `atelier logits MODEL --ids 1,17,45`: the raw logits of every position, as JSON, .npy or the likeliest tokens for people.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>

#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/format/npy.h"
#include "atelier/generate/logprobs.h"
#include "atelier/generate/model_sequence.h"

namespace atelier::cli {
namespace {

constexpr int64_t kMaxValues = int64_t{1} << 30;  // 4 GiB of logits
constexpr int64_t kChunk = 64;                    // rows of one forward pass

struct LogitsArgs {
  ModelOptions model;
  std::optional<std::string> ids, prompt, out;
  bool parse_special = false;
};

Result<std::vector<int32_t>> input_ids(const LogitsArgs& args, const models::Model& model) {
  if (args.ids) return parse_ids(*args.ids);
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  tokenize::EncodeOptions options;
  options.parse_special = args.parse_special;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer->encode(*args.prompt, options));
  return std::move(encoding.ids);
}

Status check_ids(std::span<const int32_t> ids, const models::Model& model) {
  const auto num_ids = static_cast<int64_t>(ids.size());
  if (num_ids == 0) return Status::invalid("ids: none, at least 1 is needed; give some text");
  if (num_ids > model.context()) {
    return Status::invalid(fmt::format("ids: {}, the context holds {}; give fewer or raise --context", num_ids, model.context()));
  }
  const int64_t vocabulary = model.spec().vocab_size;
  if (const int32_t largest = *std::max_element(ids.begin(), ids.end()); largest >= vocabulary) {
    return Status::invalid(fmt::format("ids: {}, the vocabulary has {} tokens; give smaller ones", largest, vocabulary));
  }
  if (num_ids > kMaxValues / vocabulary) {
    return Status::out_of_range(
        fmt::format("logits: {} x {} values, at most {} are given at once; give fewer ids", num_ids, vocabulary, kMaxValues));
  }
  return {};
}

// [T, V] for ids [T]; an error when a value is not finite.
Result<std::vector<float>> all_logits(models::Model& model, std::span<const int32_t> ids) {
  ATELIER_TRY(const auto sequence, generate::ModelSequence::create(model, static_cast<int64_t>(ids.size())));
  std::vector<float> all;
  all.reserve(ids.size() * static_cast<size_t>(model.spec().vocab_size));
  for (size_t at = 0; at < ids.size(); at += kChunk) {
    if (is_interrupted()) return Status::cancelled("logits: interrupted; run it again");
    const auto chunk = ids.subspan(at, std::min<size_t>(kChunk, ids.size() - at));
    ATELIER_TRY(const auto logits, sequence->forward(chunk, static_cast<int64_t>(chunk.size())));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  const auto bad = std::find_if(all.begin(), all.end(), [](float value) { return !std::isfinite(value); });
  if (bad == all.end()) return all;
  const auto index = static_cast<size_t>(bad - all.begin()), vocabulary = static_cast<size_t>(model.spec().vocab_size);
  return Status::corrupt(fmt::format("logits: {} at position {}, token {}, must be finite; the model file may be damaged, try --dtype f32",
                                     *bad, index / vocabulary, index % vocabulary));
}

void print_json(std::span<const float> logits, size_t rows, std::ostream& out) {
  const size_t vocabulary = logits.size() / rows;
  out << fmt::format("{{\"shape\":[{},{}],\"logits\":[", rows, vocabulary);
  for (size_t row = 0; row < rows; ++row) {
    out << (row > 0 ? ",[" : "[") << fmt::format("{}", fmt::join(logits.subspan(row * vocabulary, vocabulary), ",")) << "]";
  }
  out << "]}\n";
}

Status print_likeliest(std::span<const float> logits, std::span<const int32_t> ids, std::ostream& out) {
  const size_t vocabulary = logits.size() / ids.size();
  out << fmt::format("{:>8} {:>8}  likeliest next: id logit\n", "position", "id");
  for (size_t row = 0; row < ids.size(); ++row) {
    const auto values = logits.subspan(row * vocabulary, vocabulary);
    ATELIER_TRY(const double normaliser, generate::log_normaliser(values));
    out << fmt::format("{:>8} {:>8} ", row, ids[row]);
    for (const auto& top : generate::report_token(values, normaliser, 0, 5).top) {
      out << fmt::format("  {} {:.4f}", top.id, values[static_cast<size_t>(top.id)]);
    }
    out << "\n";
  }
  return {};
}

Status run(const LogitsArgs& args, Console& console) {
  if (args.ids.has_value() == args.prompt.has_value()) {
    return Status::invalid(
        fmt::format("input: {} of --ids and --prompt, exactly one is needed; see atelier logits --help", args.ids ? "both" : "none"));
  }
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(const std::vector<int32_t> ids, input_ids(args, *model));
  ATELIER_RETURN_IF_ERROR(check_ids(ids, *model));
  ATELIER_TRY(const std::vector<float> logits, all_logits(*model, ids));
  if (args.out) {
    const int64_t shape[] = {static_cast<int64_t>(ids.size()), model->spec().vocab_size};
    ATELIER_RETURN_IF_ERROR(format::write_npy(*args.out, logits, shape));
  }
  if (console.is_json) {
    print_json(logits, ids.size(), console.out);
  } else if (!args.out) {
    return print_likeliest(logits, ids, console.out);
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<LogitsArgs>();
  options->model.declare(args);
  args.group("Options");
  args.option("--ids", options->ids, "LIST", "token ids such as 1,17,45, taken as given; needs no tokenizer");
  args.option("-p,--prompt", options->prompt, "TEXT", "a text, tokenized as the model wants it");
  args.flag("--special", options->parse_special, "the text may spell special tokens such as <|im_end|>");
  args.option("-o,--out", options->out, "X.npy", "write the logits [T, V] to a NumPy file");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_logits;
const CommandDef command_logits = {"logits", "look", "raw logits of every position",
                                   "atelier logits smollm2-135m-instruct --ids 1,17,45 --out logits.npy", declare};

}  // namespace atelier::cli
