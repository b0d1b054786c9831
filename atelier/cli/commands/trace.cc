// `atelier trace MODEL`: attention, residual stream and logit lens of a text, as a picture of characters, JSON or an .npz file.
#include "atelier/generate/trace.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <ostream>

#include "atelier/cli/inputs.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/token_input.h"
#include "atelier/format/npy.h"
#include "atelier/generate/token_text.h"

namespace atelier::cli {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

struct TraceArgs {
  ModelOptions model;
  TokenInput input;
  std::optional<std::string> layers, heads, positions, out;
  std::string what = "lens";
  int64_t top = 5;
};

Result<std::vector<int64_t>> numbers(const std::optional<std::string>& list) {
  if (!list) return std::vector<int64_t>{};
  ATELIER_TRY(const std::vector<int32_t> parsed, parse_ids(*list));
  return std::vector<int64_t>(parsed.begin(), parsed.end());
}

// Texts of tokens in quotes; ids where there is no tokenizer.
class Names {
 public:
  explicit Names(const models::Model& model) {
    if (const auto tokenizer = model.tokenizer(); tokenizer.ok()) text_.emplace(**tokenizer);
  }
  std::string operator()(int32_t id) const { return text_ ? Json((*text_)(id)).dump() : std::to_string(id); }

 private:
  std::optional<generate::TokenText> text_;
};

// A bar an eighth of a character high for every eighth of the whole.
const char* bar(float weight) {
  static constexpr const char* kBars[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  return kBars[static_cast<size_t>(std::ceil(std::min(weight, 1.0f) * 8 - 0.08f))];
}

void print_attention(const generate::Trace& trace, const Names& name, std::ostream& out) {
  const size_t T = trace.ids.size();
  const float* row = trace.attention.data();
  for (const int64_t layer : trace.layers) {
    for (const int64_t head : trace.heads) {
      for (const int64_t position : trace.positions) {
        out << fmt::format("layer {:>2}  head {:>2}  {:>4} ", layer, head, position);
        for (size_t key = 0; key <= static_cast<size_t>(position); ++key) out << bar(row[key]);
        const auto largest = static_cast<size_t>(std::max_element(row, row + T) - row);
        out << fmt::format("  most on {} {} ({:.0f}%)\n", largest, name(trace.ids[largest]), 100 * row[largest]);
        row += T;
      }
    }
  }
}

void print_residual(const generate::Trace& trace, std::ostream& out) {
  const size_t width = trace.residual.size() / (trace.states.size() * trace.positions.size());
  const float* row = trace.residual.data();
  out << fmt::format("{:>5} {:>8} {:>12}\n", "state", "position", "length");
  for (const int64_t state : trace.states) {
    for (const int64_t position : trace.positions) {
      double squares = 0;
      for (size_t c = 0; c < width; ++c) squares += static_cast<double>(row[c]) * static_cast<double>(row[c]);
      out << fmt::format("{:>5} {:>8} {:>12.4f}\n", state, position, std::sqrt(squares));
      row += width;
    }
  }
}

void print_lens(const generate::Trace& trace, const Names& name, std::ostream& out) {
  for (size_t p = 0; p < trace.positions.size(); ++p) {
    const auto position = static_cast<size_t>(trace.positions[p]);
    out << fmt::format("after {} {}\n", position, name(trace.ids[position]));
    for (size_t s = 0; s < trace.states.size(); ++s) {
      out << fmt::format("  state {:>2} ", trace.states[s]);
      for (const auto& token : trace.lens[s * trace.positions.size() + p].top) {
        out << fmt::format("  {} {:.1f}%", name(token.id), 100 * std::exp(token.logprob));
      }
      out << "\n";
    }
  }
}

// The lens as ids and log-probabilities [states, positions, top].
Status write(const std::string& path, const generate::Trace& trace) {
  const std::vector<int64_t> ids(trace.ids.begin(), trace.ids.end());
  const auto count = [](const auto& list) { return static_cast<int64_t>(list.size()); };
  const int64_t P = count(trace.positions), states = count(trace.states);
  std::vector<format::NpzArray> arrays = {{"ids", ids, {count(ids)}}, {"positions", trace.positions, {P}}};
  std::vector<int64_t> lens_ids;
  std::vector<float> lens_logprobs;
  if (!trace.attention.empty()) {
    arrays.push_back({"layers", trace.layers, {count(trace.layers)}});
    arrays.push_back({"heads", trace.heads, {count(trace.heads)}});
    arrays.push_back({"attention", trace.attention, {count(trace.layers), count(trace.heads), P, count(ids)}});
  } else {
    arrays.push_back({"states", trace.states, {states}});
  }
  if (!trace.residual.empty()) arrays.push_back({"residual", trace.residual, {states, P, count(trace.residual) / (states * P)}});
  for (const generate::TokenReport& report : trace.lens) {
    for (const generate::TokenLogprob& token : report.top) {
      lens_ids.push_back(token.id);
      lens_logprobs.push_back(static_cast<float>(token.logprob));
    }
  }
  if (!trace.lens.empty()) {
    const std::vector<int64_t> shape = {states, P, count(lens_ids) / (states * P)};
    arrays.push_back({"lens_ids", lens_ids, shape});
    arrays.push_back({"lens_logprobs", lens_logprobs, shape});
  }
  return format::write_npz(path, arrays);
}

Status run(const TraceArgs& args, Console& console) {
  ATELIER_RETURN_IF_ERROR(args.input.check("trace"));
  ATELIER_TRY(const auto model, args.model.load());
  generate::TraceRequest request;
  ATELIER_TRY(request.ids, args.input.ids(*model));
  request.has_attention = args.what == "attention";
  request.has_residual = args.what == "residual";
  request.has_lens = args.what == "lens";
  ATELIER_TRY(request.layers, numbers(args.layers));
  ATELIER_TRY(request.heads, numbers(args.heads));
  ATELIER_TRY(request.positions, numbers(args.positions));
  const bool is_for_people = !args.out && !console.is_json;
  if (is_for_people && request.positions.empty() && !request.ids.empty()) {
    request.positions = {static_cast<int64_t>(request.ids.size()) - 1};
  }
  request.num_top = static_cast<int>(args.top);
  if (args.out) request.max_bytes = kMaxFileBytes;
  ATELIER_TRY(const generate::Trace trace, generate::trace(*model, request));
  if (args.out) return write(*args.out, trace);
  const auto tokenizer = model->tokenizer();
  if (console.is_json) {
    console.out << generate::to_json(trace, tokenizer.ok() ? *tokenizer : nullptr).dump() << "\n";
    return {};
  }
  const Names name(*model);
  if (request.has_attention) print_attention(trace, name, console.out);
  if (request.has_residual) print_residual(trace, console.out);
  if (request.has_lens) print_lens(trace, name, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TraceArgs>();
  options->model.declare(args);
  args.group("Options");
  options->input.declare(args);
  args.choice("--what", options->what, {"attention", "residual", "lens"},
              "attention weights, the residual stream, or what each state would say next (default lens)");
  args.option(
      "--layers", options->layers, "LIST",
      "layers, from 0; for residual and lens states, of which 0 is the embedding and the last has passed the final norm (default all)");
  args.option("--heads", options->heads, "LIST", "heads, from 0 (default all)");
  args.option("--positions", options->positions, "LIST", "tokens, from 0 (default: the last one for people, all in JSON and files)");
  args.option("--top", options->top, "N", "tokens that the lens shows", {1, 100});
  args.option("-o,--out", options->out, "X.npz", "write the values to a NumPy archive");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_trace;
const CommandDef command_trace = {"trace", "look", "attention, residual stream and logit lens of a text",
                                  "atelier trace smollm2-135m-instruct --prompt \"The capital of France is\" --what lens", declare};

}  // namespace atelier::cli
