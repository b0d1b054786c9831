// `atelier logits MODEL --ids 1,17,45`: the raw logits of every position, as JSON, .npy or the likeliest tokens for people.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <ostream>

#include "atelier/cli/adapter_options.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/token_input.h"
#include "atelier/format/npy.h"
#include "atelier/generate/logprobs.h"

namespace atelier::cli {
namespace {

constexpr int64_t kMaxValues = int64_t{1} << 30;  // 4 GiB of logits
constexpr int64_t kChunk = 64;                    // rows of one forward pass

struct LogitsArgs {
  ModelOptions model;
  AdapterArgs adapters;
  TokenInput input;
  std::optional<std::string> decoder_ids, out;
};

Status check_ids(std::span<const int32_t> ids, const models::Model& model, int64_t num_virtual) {
  const auto num_ids = static_cast<int64_t>(ids.size());
  if (num_ids == 0) return Status::invalid("ids: none, at least 1 is needed; give some text");
  if (num_virtual + num_ids > model.context()) {
    return Status::invalid(
        fmt::format("ids: {}, the context holds {}; give fewer or raise --context", num_virtual + num_ids, model.context()));
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

struct Logits {
  std::vector<float> values;  // [rows, columns]
  size_t rows, columns;
};

// [T, V] for ids [T], behind the adapters' virtual tokens.
Result<Logits> decoder_logits(models::Model& model, std::span<const int32_t> ids, std::span<const nn::AppliedAdapter> adapters,
                              const nn::KvCache* source = nullptr) {
  std::vector<int32_t> all_ids(static_cast<size_t>(nn::num_virtual(adapters)));
  const size_t num_virtual = all_ids.size();
  std::iota(all_ids.begin(), all_ids.end(), static_cast<int32_t>(model.spec().vocab_size));
  all_ids.insert(all_ids.end(), ids.begin(), ids.end());
  ATELIER_TRY(nn::KvCache cache, model.new_cache(static_cast<int64_t>(all_ids.size())));
  Logits out{{}, ids.size(), static_cast<size_t>(model.spec().vocab_size)};
  out.values.reserve(out.rows * out.columns);
  for (size_t at = 0; at < all_ids.size(); at += kChunk) {
    if (is_interrupted()) return Status::cancelled("logits: interrupted; run it again");
    const auto chunk = std::span(all_ids).subspan(at, std::min<size_t>(kChunk, all_ids.size() - at));
    std::vector<int64_t> rows;
    for (size_t t = std::max(at, num_virtual); t < at + chunk.size(); ++t) rows.push_back(static_cast<int64_t>(t - at));
    const nn::RowRun run{.cache = &cache, .num_rows = static_cast<int64_t>(chunk.size()), .adapters = adapters, .source = source};
    ATELIER_RETURN_IF_ERROR(model.run(chunk, std::span(&run, 1)));
    const auto logits = model.logits(rows);
    out.values.insert(out.values.end(), logits.begin(), logits.end());
  }
  return out;
}

// [T, V] for the decoder's ids [T] behind a source that its encoder has read.
Result<Logits> seq2seq_logits(models::Model& model, std::span<const int32_t> source_ids, std::span<const int32_t> ids) {
  const auto length = std::ssize(source_ids);
  ATELIER_TRY(nn::KvCache source, model.new_cache(length));
  const nn::SourceRun run{&source, length};
  ATELIER_RETURN_IF_ERROR(model.read_sources(source_ids, std::span(&run, 1)));
  return decoder_logits(model, ids, {}, &source);
}

// [T, V] of the language head, or what the task's head says: [1, N] of a text, [T, N] of its tokens.
Result<Logits> encoder_logits(models::Model& model, std::span<const int32_t> ids) {
  const nn::TransformerSpec& spec = model.spec();
  const bool has_task = spec.head.kind != nn::HeadKind::kNone;
  if (!spec.has_language_head && !has_task) {
    return Status::unsupported(
        fmt::format("logits: {} has no head; use embed, or a model of a class such as BertForMaskedLM", model.path()));
  }
  const nn::RowRun document{nullptr, static_cast<int64_t>(ids.size())};
  ATELIER_RETURN_IF_ERROR(model.run(ids, std::span(&document, 1)));
  std::vector<int64_t> rows(ids.size());
  std::iota(rows.begin(), rows.end(), 0);
  const std::span<const float> values = spec.has_language_head ? model.logits(rows) : model.task_logits();
  const auto columns = static_cast<size_t>(spec.has_language_head ? spec.vocab_size : spec.head.num_labels);
  return Logits{{values.begin(), values.end()}, values.size() / columns, columns};
}

// An error when a value is not finite.
Result<Logits> all_logits(models::Model& model, std::span<const int32_t> source, std::span<const int32_t> ids,
                          std::span<const nn::AppliedAdapter> adapters) {
  ATELIER_TRY(Logits logits, model.has_encoder()  ? seq2seq_logits(model, source, ids)
                             : model.is_encoder() ? encoder_logits(model, ids)
                                                  : decoder_logits(model, ids, adapters));
  const auto bad = std::ranges::find_if(logits.values, [](float value) { return !std::isfinite(value); });
  if (bad == logits.values.end()) return logits;
  const auto index = static_cast<size_t>(bad - logits.values.begin());
  return Status::corrupt(fmt::format("logits: {} at position {}, column {}, must be finite; the model file may be damaged, try --dtype f32",
                                     *bad, index / logits.columns, index % logits.columns));
}

std::span<const float> row_of(const Logits& logits, size_t row) {
  return std::span(logits.values).subspan(row * logits.columns, logits.columns);
}

void print_json(const Logits& logits, std::ostream& out) {
  out << fmt::format("{{\"shape\":[{},{}],\"logits\":[", logits.rows, logits.columns);
  for (size_t row = 0; row < logits.rows; ++row)
    out << (row > 0 ? ",[" : "[") << fmt::format("{}", fmt::join(row_of(logits, row), ",")) << "]";
  out << "]}\n";
}

Status print_likeliest(const Logits& logits, std::span<const int32_t> ids, std::ostream& out) {
  out << fmt::format("{:>8} {:>8}  likeliest: id logit\n", "position", "id");
  for (size_t row = 0; row < logits.rows; ++row) {
    const auto values = row_of(logits, row);
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
  ATELIER_RETURN_IF_ERROR(args.input.check("logits"));
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(std::vector<int32_t> ids, args.input.ids(*model));
  if ((model->is_encoder() || model->has_encoder()) && !args.adapters.parts().empty()) {
    return Status::unsupported("logits: adapters are of decoders; leave out --adapter");
  }
  if (model->has_encoder() != args.decoder_ids.has_value()) {
    return Status::invalid(model->has_encoder() ? "--decoder-ids: none, a model with an encoder needs them; such as 0,5"
                                                : "--decoder-ids: given, this model has no encoder; leave them out");
  }
  std::vector<int32_t> source;
  if (args.decoder_ids) {
    source = std::move(ids);
    ATELIER_TRY(ids, parse_ids(*args.decoder_ids));
  }
  ATELIER_TRY(const LoadedAdapters adapters, args.adapters.load(*model));
  ATELIER_RETURN_IF_ERROR(check_ids(ids, *model, nn::num_virtual(adapters.applied)));
  ATELIER_TRY(const Logits logits, all_logits(*model, source, ids, adapters.applied));
  if (args.out) {
    const int64_t shape[] = {static_cast<int64_t>(logits.rows), static_cast<int64_t>(logits.columns)};
    ATELIER_RETURN_IF_ERROR(format::write_npy(*args.out, logits.values, shape));
  }
  if (console.is_json) {
    print_json(logits, console.out);
  } else if (!args.out) {
    return print_likeliest(logits, ids, console.out);
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<LogitsArgs>();
  options->model.declare(args);
  args.group("Options");
  options->input.declare(args);
  args.option("--decoder-ids", options->decoder_ids, "LIST",
              "with an encoder, which reads the ids or the prompt: the tokens of the decoder, taken as given");
  args.option("-o,--out", options->out, "X.npy", "write the logits [T, V] to a NumPy file");
  options->adapters.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_logits;
const CommandDef command_logits = {"logits", "look", "raw logits of every position",
                                   "atelier logits smollm2-135m-instruct --ids 1,17,45 --out logits.npy", declare};

}  // namespace atelier::cli
