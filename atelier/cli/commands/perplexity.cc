// `atelier perplexity MODEL FILE`: how well a model predicts a text.
#include "atelier/generate/perplexity.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/progress.h"
#include "atelier/generate/model_sequence.h"
#include "atelier/generate/token_text.h"

namespace atelier::cli {
namespace {

struct PerplexityArgs {
  ModelOptions model;
  std::string file;
  int64_t window = 512;
  int64_t max_chunks = 0, stride = 0;
  bool shows_tokens = false;
};

// A text's tokens, with a BOS in front where the model adds one.
struct TokenizedText {
  std::string text;
  std::vector<int32_t> ids;
  std::vector<size_t> ends;  // byte of `text` at which each token ends

  size_t bytes(int64_t index) const { return ends[static_cast<size_t>(index)] - begin(index); }
  // Characters that begin within the token.
  size_t chars(int64_t index) const {
    size_t count = 0;
    for (size_t at = begin(index); at < ends[static_cast<size_t>(index)]; ++at)
      count += (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    return count;
  }

 private:
  size_t begin(int64_t index) const { return index > 0 ? ends[static_cast<size_t>(index) - 1] : 0; }
};

Result<TokenizedText> tokenize_text(std::string text, const models::Model& model) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  tokenize::EncodeOptions encode;
  encode.add_special_tokens = false;
  ATELIER_TRY(const tokenize::Encoding encoding, tokenizer->encode(text, encode));
  TokenizedText out;
  out.text = std::move(text);
  if (model.adds_bos()) {
    out.ids.push_back(*tokenizer->bos());
    out.ends.push_back(0);
  }
  out.ids.insert(out.ids.end(), encoding.ids.begin(), encoding.ids.end());
  for (const auto& [begin, end] : encoding.offsets) out.ends.push_back(std::max(end, out.ends.empty() ? 0 : out.ends.back()));
  return out;
}

struct Totals {
  size_t bytes = 0, chars = 0;
  std::vector<generate::ScoredToken> tokens;  // with --tokens
};

void print_json(const PerplexityArgs& args, const generate::Perplexity& result, const Totals& totals, const TokenizedText& text,
                const generate::TokenText& token_text, std::ostream& out) {
  const double bits = result.nll / std::log(2.0);
  Json json = Json::object();
  json.set("ppl", result.ppl()).set("nll", result.mean_nll()).set("tokens_scored", result.tokens_scored);
  json.set("context", args.window).set("chunks", result.chunks);
  json.set("bits_per_byte", totals.bytes > 0 ? Json(bits / static_cast<double>(totals.bytes)) : Json());
  json.set("bits_per_char", totals.chars > 0 ? Json(bits / static_cast<double>(totals.chars)) : Json());
  if (args.shows_tokens) {
    Json tokens = Json::array();
    for (const generate::ScoredToken& token : totals.tokens) {
      const int32_t id = text.ids[static_cast<size_t>(token.index)];
      tokens.push_back(Json::object().set("index", token.index).set("id", id).set("text", token_text(id)).set("nll", token.nll));
    }
    json.set("tokens", std::move(tokens));
  }
  out << json.dump() << "\n";
}

void print_table(const PerplexityArgs& args, const generate::Perplexity& result, const Totals& totals, const TokenizedText& text,
                 const generate::TokenText& token_text, std::ostream& out) {
  for (const generate::ScoredToken& token : totals.tokens) {
    const int32_t id = text.ids[static_cast<size_t>(token.index)];
    out << fmt::format("{:>8} {:>8} {:9.4f}  {}\n", token.index, id, token.nll, Json(token_text(id)).dump());
  }
  const double bits = result.nll / std::log(2.0);
  out << fmt::format("perplexity {:.4f} ({:.5f} nats per token, {:.4f} bits per byte) on {} tokens in {} windows of {}\n", result.ppl(),
                     result.mean_nll(), totals.bytes > 0 ? bits / static_cast<double>(totals.bytes) : 0.0, result.tokens_scored,
                     result.chunks, args.window);
}

Status run(PerplexityArgs& args, Console& console) {
  ATELIER_TRY(std::string content, input_text(std::nullopt, args.file, "FILE", console));
  args.model.context = args.window;
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(const TokenizedText text, tokenize_text(std::move(content), *model));
  ATELIER_TRY(const auto sequence, generate::ModelSequence::create(*model));

  generate::PerplexityOptions options;
  options.context = args.window;
  options.max_chunks = args.max_chunks;
  options.stride = args.stride;
  if (model->adds_bos()) options.bos = text.ids[0];
  const int64_t step = args.stride > 0 ? args.stride : args.window;
  const auto num_windows = static_cast<int64_t>(text.ids.size()) / step;
  Totals totals;
  Progress progress(console, "perplexity", args.max_chunks > 0 ? std::min(args.max_chunks, num_windows) : num_windows);
  generate::PerplexityHooks hooks;
  hooks.on_token = [&](const generate::ScoredToken& token) {
    totals.bytes += text.bytes(token.index);
    totals.chars += text.chars(token.index);
    if (args.shows_tokens) totals.tokens.push_back(token);
  };
  hooks.on_chunk = [&](const generate::Perplexity& so_far, int64_t) {
    progress.update(so_far.chunks, fmt::format("ppl {:.3f}", so_far.ppl()));
  };
  hooks.is_cancelled = is_interrupted;
  ATELIER_TRY(const generate::Perplexity result, generate::perplexity(*sequence, text.ids, options, hooks));

  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  const generate::TokenText token_text(*tokenizer);
  const auto print = console.is_json ? print_json : print_table;
  print(args, result, totals, text, token_text, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<PerplexityArgs>();
  options->model.declare_without_context(args);
  args.positional("FILE", options->file, "the text, UTF-8; - is stdin");
  args.group("Options");
  args.option("-c,--context", options->window, "N", "tokens in a window; the second half is scored", {2, int64_t{1} << 24});
  args.option("--chunks", options->max_chunks, "N", "score this many windows only; 0: all", {0, int64_t{1} << 30});
  args.option("--stride", options->stride, "N", "sliding windows N tokens apart, every token scored once; 0: off", {0, int64_t{1} << 24});
  args.flag("--tokens", options->shows_tokens, "also show each scored token's cross-entropy, in nats");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_perplexity;
const CommandDef command_perplexity = {"perplexity", "run", "how well a model predicts a text",
                                       "atelier perplexity smollm2-135m-instruct README.md --context 256", declare};

}  // namespace atelier::cli
