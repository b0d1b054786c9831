// `atelier bench MODEL`: tokens per second of prefill and decoding, medians over repetitions.
//
// Random tokens go through the engine as a user's would: prompts in pieces, answers one row a step, each the likeliest token. `depth`
// tokens are in the cache before each measurement. Rates are tokens of all sequences together, beside what the machine could do at most
// (cli/roofline.h) and, with --compare, beside what another engine reports.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <utility>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/base/strings.h"
#include "atelier/cli/bench_report.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/roofline.h"
#include "atelier/generate/engine.h"
#include "atelier/parallel/parallel.h"

namespace atelier::cli {
namespace {

constexpr int64_t kMaxBatch = 256;
constexpr int64_t kSpareTokens = 64;  // of a context: what the first answers say until the last prompt has been read

struct BenchArgs {
  ModelOptions model;
  int64_t prompt = 512, generate = 128, depth = 0, repetitions = 5;
  std::string batches = "1";
  std::optional<std::string> peer;  // file of a report
};

Result<std::vector<int64_t>> parse_batches(const std::string& text) {
  std::vector<int64_t> batches;
  for (const std::string_view part : split(text, ',')) {
    const auto batch = parse_int(trim_ascii(part));
    if (!batch || *batch < 1 || *batch > kMaxBatch) {
      return Status::invalid(
          fmt::format("--batch: {}, must be numbers from 1 to {} such as 1,16; correct it", atelier::quoted(part), kMaxBatch));
    }
    batches.push_back(*batch);
  }
  return batches;
}

std::vector<int32_t> random_ids(int64_t count, int64_t vocabulary, uint64_t sequence) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<int32_t>(random_bits(1, sequence, static_cast<uint64_t>(i)) % static_cast<uint64_t>(vocabulary)));
  }
  return ids;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// An engine with as many sequences as the largest batch.
class Bench {
 public:
  static Result<std::unique_ptr<Bench>> create(models::Model& model, const BenchArgs& args, int64_t max_batch) {
    ATELIER_TRY(auto engine, generate::Engine::create(model, {.max_sequences = max_batch}));
    return std::unique_ptr<Bench>(new Bench(model.spec().vocab_size, args, std::move(engine)));
  }

  // Tokens per second of one prompt behind the depth, another one each time, until its first token could be said.
  Result<double> prefill() {
    std::vector<int32_t> prompt = random_ids(args_.depth, vocabulary_, 0);
    const std::vector<int32_t> behind = random_ids(args_.prompt, vocabulary_, ++num_prompts_);
    prompt.insert(prompt.end(), behind.begin(), behind.end());
    if (args_.depth > 0) {
      ATELIER_TRY([[maybe_unused]] const auto remembered, engine_->generate(request(random_ids(args_.depth, vocabulary_, 0), 0)));
    }
    ATELIER_TRY(const generate::Generation generation, engine_->generate(request(std::move(prompt), 1)));
    if (generation.finish == generate::FinishReason::kCancelled) return interrupted();
    return static_cast<double>(generation.num_prompt - generation.num_reused) / generation.prefill_s;
  }

  // Tokens per second of `batch` answers together, from the step on in which all are being written.
  Result<double> decode(int64_t batch) {
    std::vector<generate::Engine::RequestId> ids;
    int64_t num_reading = batch;
    for (int64_t i = 0; i < batch; ++i) {
      generate::Request made = request(random_ids(std::max<int64_t>(1, args_.depth), vocabulary_, static_cast<uint64_t>(i)), -1);
      made.hooks.on_token = [&num_reading, is_first = true](const generate::TokenReport&) mutable {
        num_reading -= std::exchange(is_first, false) ? 1 : 0;
      };
      ATELIER_TRY(const auto id, engine_->submit(std::move(made)));
      ids.push_back(id);
    }
    while (num_reading > 0) ATELIER_RETURN_IF_ERROR(step());
    const int64_t before = engine_->metrics().decode_tokens;
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < args_.generate; ++i) ATELIER_RETURN_IF_ERROR(step());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (const auto id : ids) engine_->cancel(id);
    return static_cast<double>(engine_->metrics().decode_tokens - before) / seconds;
  }

 private:
  Bench(int64_t vocabulary, const BenchArgs& args, std::unique_ptr<generate::Engine> engine)
      : vocabulary_(vocabulary), args_(args), engine_(std::move(engine)) {}

  static Status interrupted() { return Status::cancelled("bench: interrupted; run it again"); }
  Status step() { return is_interrupted() ? interrupted() : engine_->step(); }
  static generate::Request request(std::vector<int32_t> prompt, int64_t max_tokens) {
    generate::Request made;
    made.prompt = std::move(prompt);
    made.options.max_tokens = max_tokens;
    made.options.sampling.temperature = 0;
    made.hooks.is_cancelled = is_interrupted;
    return made;
  }

  int64_t vocabulary_;
  const BenchArgs& args_;
  std::unique_ptr<generate::Engine> engine_;
  uint64_t num_prompts_ = uint64_t{1} << 32;  // random sequences above those of answers
};

// The median of `repetitions` runs after one that warms up.
Result<double> measure(int64_t repetitions, Progress& progress, int64_t& done, const std::function<Result<double>()>& run) {
  std::vector<double> rates;
  for (int64_t i = 0; i <= repetitions; ++i) {
    ATELIER_TRY(const double rate, run());
    if (i > 0) rates.push_back(rate);
    progress.update(++done);
  }
  return median(std::move(rates));
}

// The limits of this machine for each rate of a report.
struct Limits {
  MachineLimits machine;
  double prefill_tok_s = 0;
  std::vector<BatchRate> batched;  // of the report's batches

  double decode_tok_s(int64_t batch) const {
    const auto same = [&](const BatchRate& rate) { return rate.batch == batch; };
    const auto found = std::find_if(batched.begin(), batched.end(), same);
    return found == batched.end() ? 0 : found->decode_tok_s;
  }
};

// In the middle of a decoding run, half of its tokens are in the cache.
Limits limits_for(const models::Model& model, const BenchReport& report) {
  Limits limits;
  limits.machine = measure_limits();
  const int64_t depth = report.depth + report.generate / 2;
  limits.prefill_tok_s = roofline(model, limits.machine, depth).prefill_tok_s;
  for (const BatchRate& rate : report.batched) {
    limits.batched.push_back({rate.batch, roofline(model, limits.machine, depth, rate.batch).decode_tok_s});
  }
  return limits;
}

// "  38% of the limit   llama.cpp 255.0, ratio 4.84" behind a rate.
std::string comparisons(double rate, double limit, const BenchReport* peer, double peer_rate) {
  std::string text = fmt::format("  {:3.0f}% of the limit", 100 * rate / limit);
  if (!peer) return text;
  const std::optional<double> compared = ratio(rate, peer_rate);
  return text + (compared ? fmt::format("   {} {:.1f}, ratio {:.2f}", peer->engine, peer_rate, *compared)
                          : fmt::format("   {}: not measured", peer->engine));
}

void print_text(const BenchReport& report, const Limits& limits, const BenchReport* peer, std::ostream& out) {
  if (report.prompt > 0) {
    out << fmt::format("prefill {:>5} tokens   {:10.1f} tokens/s{}\n", report.prompt, report.prefill_tok_s,
                       comparisons(report.prefill_tok_s, limits.prefill_tok_s, peer, peer ? peer->prefill_tok_s : 0));
  }
  for (const BatchRate& rate : report.batched) {
    out << fmt::format("decode  {:>5} x {:<4}     {:10.1f} tokens/s{}\n", report.generate, rate.batch, rate.decode_tok_s,
                       comparisons(rate.decode_tok_s, limits.decode_tok_s(rate.batch), peer, peer ? peer->decode_tok_s(rate.batch) : 0));
  }
}

void print_json(const std::string& model, const BenchReport& report, const Limits& limits, const BenchReport* peer, std::ostream& out) {
  const auto measured = [](double value) { return value > 0 ? Json(value) : Json(); };
  const auto part = [](double rate, double limit) { return rate > 0 ? Json(rate / limit) : Json(); };
  Json batched = Json::array();
  for (const BatchRate& rate : report.batched) {
    Json entry = Json::object().set("batch", rate.batch).set("decode_tok_s", rate.decode_tok_s);
    batched.push_back(entry.set("fraction", part(rate.decode_tok_s, limits.decode_tok_s(rate.batch))));
  }
  Json json = Json::object().set("engine", report.engine).set("model", model).set("threads", report.threads);
  json.set("prompt", report.prompt).set("generate", report.generate).set("depth", report.depth).set("kv", report.kv);
  json.set("prefill_tok_s", measured(report.prefill_tok_s)).set("decode_tok_s", measured(report.decode_tok_s(1)));
  json.set("batched", std::move(batched));
  Json limit = Json::object();
  add_limits(limit, limits.machine).set("prefill_tok_s", limits.prefill_tok_s).set("decode_tok_s", measured(limits.decode_tok_s(1)));
  Json fraction = Json::object().set("prefill", part(report.prefill_tok_s, limits.prefill_tok_s));
  fraction.set("decode", part(report.decode_tok_s(1), limits.decode_tok_s(1)));
  json.set("limits", std::move(limit)).set("fraction", std::move(fraction));
  if (peer) json.set("compare", comparison_json(report, *peer));
  out << json.dump() << "\n";
}

// Fills in the rates of `report`, whose settings are those of `args`.
Status measure_rates(models::Model& model, const BenchArgs& args, const std::vector<int64_t>& batches, Console& console,
                     BenchReport& report) {
  ATELIER_TRY(const auto bench, Bench::create(model, args, *std::max_element(batches.begin(), batches.end())));
  const auto num_measured = static_cast<int64_t>(batches.size()) + (args.prompt > 0 ? 1 : 0);
  Progress progress(console, "bench", num_measured * (args.repetitions + 1));
  int64_t done = 0;
  if (args.prompt > 0) {
    ATELIER_TRY(report.prefill_tok_s, measure(args.repetitions, progress, done, [&] { return bench->prefill(); }));
  }
  for (const int64_t batch : args.generate > 0 ? batches : std::vector<int64_t>()) {
    ATELIER_TRY(const double rate, measure(args.repetitions, progress, done, [&] { return bench->decode(batch); }));
    report.batched.push_back({batch, rate});
  }
  return {};
}

Result<std::optional<BenchReport>> read_peer(const BenchArgs& args, Console& console) {
  if (!args.peer) return std::optional<BenchReport>();
  Result<std::string> text = input_text({}, args.peer, "--compare", console);
  if (!text.ok()) return text.status().with_context("--compare");
  ATELIER_TRY(BenchReport report, parse_bench_report(*text, *args.peer));
  return std::optional<BenchReport>(std::move(report));
}

Status run(BenchArgs& args, Console& console) {
  ATELIER_TRY(const std::vector<int64_t> batches, parse_batches(args.batches));
  ATELIER_TRY(const std::optional<BenchReport> peer, read_peer(args, console));
  if (args.model.context == 0) args.model.context = args.depth + std::max(args.prompt, args.generate) + kSpareTokens;
  ATELIER_TRY(const auto model, args.model.load());

  BenchReport report;
  report.engine = "atelier";
  report.threads = num_threads();
  report.prompt = args.prompt;
  report.generate = args.generate;
  report.depth = args.depth;
  report.kv = to_lower_ascii(dtype_name(model->kv_dtype()));
  if (peer) ATELIER_RETURN_IF_ERROR(check_same_settings(report, *peer, *args.peer));
  ATELIER_RETURN_IF_ERROR(measure_rates(*model, args, batches, console, report));

  const Limits limits = limits_for(*model, report);
  const BenchReport* beside = peer ? &*peer : nullptr;
  if (console.is_json) {
    print_json(args.model.model, report, limits, beside, console.out);
  } else {
    print_text(report, limits, beside, console.out);
  }
  return {};
}

CommandBody declare(Args& args) {
  constexpr Range<int64_t> kTokens = {0, int64_t{1} << 24};
  auto options = std::make_shared<BenchArgs>();
  options->model.declare(args);
  args.group("Options");
  args.option("--prompt", options->prompt, "N", "tokens of the prompt; 0: do not measure prefill", kTokens);
  args.option("--generate", options->generate, "N", "tokens to generate; 0: do not measure decoding", kTokens);
  args.option("--batch", options->batches, "LIST", "sequences decoded together, such as 1,16");
  args.option("--depth", options->depth, "N", "tokens in the cache before each measurement", kTokens);
  args.option("--compare", options->peer, "FILE", "the JSON line of another engine's run, or - for stdin: shows the ratio of every rate");
  args.option("--repetitions", options->repetitions, "N", "measurements, after one that warms up; the median is shown", {1, 1000});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_bench;
const CommandDef command_bench = {"bench", "run", "tokens per second of prefill and decoding",
                                  "atelier bench smollm2-135m-instruct --prompt 512 --generate 128 --batch 1,16 --compare peer.json",
                                  declare};

}  // namespace atelier::cli
