// `atelier bench serve URL`: load on a server, ours or another that speaks OpenAI's completions (docs/guide/serve.md).
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/load_generator.h"
#include "atelier/cli/progress.h"
#include "atelier/io/file.h"

namespace atelier::cli {
namespace {

struct BenchServeArgs {
  LoadOptions load = {.url = "http://127.0.0.1:8080"};
  std::optional<std::string> prompts, ca_file;
};

double per_second(int64_t tokens, const LoadReport& report) {
  return report.seconds > 0 ? static_cast<double>(tokens) / report.seconds : 0;
}

Json json_of(const Percentiles& ms) { return Json::object().set("p50", ms.p50).set("p95", ms.p95).set("p99", ms.p99).set("max", ms.max); }

void print_json(const LoadOptions& load, const LoadReport& report, std::ostream& out) {
  Json json = Json::object().set("url", load.url).set("model", load.model).set("loop", load.rate > 0 ? "open" : "closed");
  json.set("streams", load.rate > 0 ? Json() : Json(load.streams)).set("rate", load.rate > 0 ? Json(load.rate) : Json());
  json.set("prompt", load.prompt).set("shared", load.shared).set("generate", load.generate).set("requests", load.requests);
  Json failed = Json::object();
  for (const auto& [reason, count] : report.failed) failed.set(reason, count);
  json.set("completed", report.completed).set("left", report.left).set("short", report.short_answers).set("failed", std::move(failed));
  json.set("seconds", report.seconds).set("prompt_tokens", report.prompt_tokens).set("cached_tokens", report.cached_tokens);
  json.set("output_tokens", report.output_tokens).set("output_tok_s", per_second(report.output_tokens, report));
  json.set("total_tok_s", per_second(report.prompt_tokens + report.output_tokens, report));
  json.set("ttft_ms", json_of(report.first_token))
      .set("between_ms", json_of(report.between_tokens))
      .set("request_ms", json_of(report.request));
  json.set("fairness", load.rate > 0 ? Json() : Json(report.fairness));
  out << json.dump() << "\n";
}

void print_text(const LoadOptions& load, const LoadReport& report, std::ostream& out) {
  const std::string loop = load.rate > 0 ? fmt::format("{} a second", load.rate) : fmt::format("{} at once", load.streams);
  out << fmt::format("{} answers, {}, in {:.1f} s", report.completed, loop, report.seconds);
  if (report.left > 0) out << fmt::format("; {} clients left", report.left);
  if (report.short_answers > 0) out << fmt::format("; {} of another length than {}", report.short_answers, load.generate);
  for (const auto& [reason, count] : report.failed) out << fmt::format("; {} failed: {}", count, reason);
  out << fmt::format("\nwritten         {:10.1f} tokens/s    prompts and answers {:.1f} tokens/s, {} of {} prompt tokens cached\n",
                     per_second(report.output_tokens, report), per_second(report.prompt_tokens + report.output_tokens, report),
                     report.cached_tokens, report.prompt_tokens);
  const auto line = [&](const char* what, const Percentiles& ms) {
    out << fmt::format("{:<15} p50 {:8.1f} ms   p95 {:8.1f} ms   p99 {:8.1f} ms   at most {:8.1f} ms\n", what, ms.p50, ms.p95, ms.p99,
                       ms.max);
  };
  line("first token", report.first_token);
  line("between tokens", report.between_tokens);
  line("whole answer", report.request);
  if (load.rate == 0)
    out << fmt::format("fairness        the slowest client gets {:.0f} % of the fastest one's tokens\n", 100 * report.fairness);
}

Status run(BenchServeArgs& args, Console& console) {
  LoadOptions& load = args.load;
  while (load.url.ends_with("/")) load.url.pop_back();
  if (load.url.ends_with("/v1")) load.url.resize(load.url.size() - 3);
  if (load.shared > load.prompt) {
    return Status::invalid(fmt::format("--shared: {}, at most the {} tokens of --prompt; correct it", load.shared, load.prompt));
  }
  if (args.prompts) {
    ATELIER_TRY(const std::string text, io::read_file(*args.prompts));
    for (const std::string_view line : split(text, '\n')) {
      if (!trim_ascii(line).empty()) load.prompts.emplace_back(line);
    }
    if (load.prompts.empty()) return Status::invalid(fmt::format("--prompts: {}, has no line; give a text a line", *args.prompts));
  }
  load.ca_file = args.ca_file.value_or("");
  if (const char* key = std::getenv("OPENAI_API_KEY")) load.key = key;
  load.seed = static_cast<uint64_t>(console.seed.value_or(1));
  if (load.model.empty()) {
    ATELIER_TRY(load.model, first_model_of(load));
  }
  Progress progress(console, "bench serve", load.requests);
  ATELIER_TRY(const LoadReport report, run_load(load, [&](int64_t done) {
                progress.update(done);
                return !is_interrupted();
              }));
  console.is_json ? print_json(load, report, console.out) : print_text(load, report, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<BenchServeArgs>();
  LoadOptions& load = options->load;
  constexpr Range<int64_t> kCount = {1, int64_t{1} << 24};
  args.positional("URL", load.url, "of the server; a key is taken from $OPENAI_API_KEY", Args::Presence::kOptional);
  args.group("Load");
  args.option("--model", load.model, "NAME", "by which the server knows it (default: the first that it names)");
  args.option("--streams", load.streams, "N", "closed loop: clients, each of which asks again when its answer has ended", {1, 4096});
  args.option("--rate", load.rate, "R", "open loop: requests arrive at random, R a second; 0: closed loop", {0, 1e6});
  args.option("--requests", load.requests, "N", "requests that are measured", kCount);
  args.option("--warmup", load.warmup, "N", "requests before those", {0, 4096});
  args.option("--prompt", load.prompt, "N", "tokens of a prompt, drawn at random", kCount);
  args.option("--shared", load.shared, "N", "of them, the first ones that all prompts have in common: what a prompt cache finds",
              {0, int64_t{1} << 24});
  args.option("--vocabulary", load.vocabulary, "N", "prompts have token ids below N", {10, int64_t{1} << 24});
  args.option("--prompts", options->prompts, "FILE", "texts to use in turn instead, one a line");
  args.option("--generate", load.generate, "N", "tokens of an answer; it is not ended before (ignore_eos)", kCount);
  args.option("--leave", load.leave, "P", "part of the clients that leave within their answer", {0, 1});
  args.option("--tls-ca", options->ca_file, "FILE", "certificates to trust, in PEM, instead of the system's");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_bench_serve;
const CommandDef command_bench_serve = {"bench serve", "serve", "load on a server: time to the first token, between tokens, throughput",
                                        "atelier bench serve http://127.0.0.1:8080 --streams 8 --prompt 128 --generate 64", declare};

}  // namespace atelier::cli
