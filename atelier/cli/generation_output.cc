#include "atelier/cli/generation_output.h"

#include <fmt/format.h>

#include <cmath>
#include <ostream>

#include "atelier/base/log.h"

namespace atelier::cli {
namespace {

using generate::FinishReason;
using generate::TokenReport;
using generate::TokenText;

// Escaped as in JSON, so that spaces and line breaks can be seen.
std::string visible(const std::string& text) { return Json(text).dump(); }

double per_second(int64_t count, double seconds) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }

}  // namespace

Json reports_json(const std::vector<TokenReport>& reports, const TokenText& text) {
  Json array = Json::array();
  for (const TokenReport& report : reports) {
    Json top = Json::array();
    for (const generate::TokenLogprob& token : report.top) {
      top.push_back(Json::object().set("id", token.id).set("text", text(token.id)).set("logprob", token.logprob));
    }
    Json entry = Json::object();
    entry.set("id", report.id).set("text", text(report.id)).set("logprob", report.logprob).set("top", std::move(top));
    array.push_back(std::move(entry));
  }
  return array;
}

void print_reports(const std::vector<TokenReport>& reports, int num_top, const TokenText& text, std::ostream& out) {
  generate::LogprobTotal total;
  for (const TokenReport& report : reports) {
    out << fmt::format("{:<18} {:6.2f}%  |", visible(text(report.id)), 100 * std::exp(report.logprob));
    for (const generate::TokenLogprob& token : report.top) {
      out << fmt::format("  {} {:.2f}%", visible(text(token.id)), 100 * std::exp(token.logprob));
    }
    out << "\n";
    total.add(report);
  }
  out << total.line(num_top) << "\n";
}

void add_statistics(const generate::Generation& generation, Json& json) {
  json.set("finish_reason", generate::finish_reason_name(generation.finish));
  if (!generation.stop_string.empty()) json.set("stop_string", generation.stop_string);
  const auto generated = static_cast<int64_t>(generation.ids.size());
  if (generation.num_source > 0) json.set("source_tokens", generation.num_source);
  json.set("prompt_tokens", generation.num_prompt).set("cached_tokens", generation.num_reused).set("generated_tokens", generated);
  if (generation.num_drafted > 0) json.set("drafted_tokens", generation.num_drafted).set("accepted_tokens", generation.num_accepted);
  json.set("prefill_s", generation.prefill_s).set("decode_s", generation.decode_s);
  json.set("prefill_tok_s", per_second(generation.num_prompt - generation.num_reused, generation.prefill_s));
  json.set("decode_tok_s", per_second(generated, generation.decode_s));
}

void explain_finish(const generate::Generation& generation, int64_t context, const char* way_out) {
  const auto generated = generation.ids.size();
  if (generation.finish == FinishReason::kContextFull) {
    log(LogLevel::kWarning, fmt::format("the answer stops here: the context of {} tokens is full ({} prompt, {} answer); {}", context,
                                        generation.num_prompt, generated, way_out));
  } else if (generation.finish == FinishReason::kLength) {
    log(LogLevel::kDebug, fmt::format("the answer stops here: --max-tokens {} reached", generated));
  }
  log(LogLevel::kDebug,
      fmt::format("prompt {} tokens ({} cached), {:.1f} tokens/s; answer {} tokens, {:.1f} tokens/s", generation.num_prompt,
                  generation.num_reused, per_second(generation.num_prompt - generation.num_reused, generation.prefill_s), generated,
                  per_second(static_cast<int64_t>(generated), generation.decode_s)));
  if (generation.num_drafted > 0) {
    log(LogLevel::kDebug, fmt::format("speculation: {} of {} proposed tokens were right", generation.num_accepted, generation.num_drafted));
  }
}

}  // namespace atelier::cli
