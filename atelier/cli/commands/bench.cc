// `atelier bench MODEL`: tokens per second of prefill and decoding, medians over repetitions.
//
// Tokens are random; logits are computed for the last row only, nothing is sampled. `depth` tokens are in the cache before each
// measurement. Rates are tokens of all sequences together, beside what the machine could do at most (cli/roofline.h) and, with --compare,
// beside what another engine reports.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/base/strings.h"
#include "atelier/cli/bench_report.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/roofline.h"
#include "atelier/parallel/parallel.h"

namespace atelier::cli {
namespace {

constexpr int64_t kChunk = 512;  // rows of one forward pass over a prompt
constexpr int64_t kMaxBatch = 256;

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

// The model with the caches of as many sequences as the largest batch.
class Bench {
 public:
  Bench(models::Model& model, const BenchArgs& args) : model_(model), args_(args) {}

  Status prepare(int64_t max_batch) {
    for (int64_t i = 0; i < max_batch; ++i) {
      ATELIER_TRY(nn::KvCache cache, model_.new_cache(std::max<int64_t>(1, args_.depth + std::max(args_.prompt, args_.generate))));
      caches_.push_back(std::move(cache));
      ATELIER_RETURN_IF_ERROR(extend(caches_.back(), args_.depth));
    }
    return {};
  }

  // Tokens per second of one prompt behind the depth.
  Result<double> prefill() {
    caches_[0].truncate(args_.depth);
    const auto start = std::chrono::steady_clock::now();
    ATELIER_RETURN_IF_ERROR(extend(caches_[0], args_.prompt));
    return static_cast<double>(args_.prompt) / seconds_since(start);
  }

  Result<double> decode(int64_t batch) {
    std::vector<nn::RowRun> runs;
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < batch; ++i) {
      caches_[static_cast<size_t>(i)].truncate(args_.depth);
      runs.push_back({&caches_[static_cast<size_t>(i)], 1});
      rows.push_back(i);
    }
    const auto start = std::chrono::steady_clock::now();
    for (int64_t step = 0; step < args_.generate; ++step) {
      if (is_interrupted()) return Status::cancelled("bench: interrupted; run it again");
      const auto ids = random_ids(batch, model_.spec().vocab_size, static_cast<uint64_t>(step));
      ATELIER_TRY([[maybe_unused]] const auto logits, model_.forward_batch(ids, runs, rows));
    }
    return static_cast<double>(batch * args_.generate) / seconds_since(start);
  }

 private:
  static double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  Status extend(nn::KvCache& cache, int64_t count) {
    const std::vector<int32_t> ids = random_ids(count, model_.spec().vocab_size, 0);
    for (int64_t at = 0; at < count; at += kChunk) {
      if (is_interrupted()) return Status::cancelled("bench: interrupted; run it again");
      const auto chunk = std::span(ids).subspan(static_cast<size_t>(at), static_cast<size_t>(std::min(kChunk, count - at)));
      ATELIER_TRY([[maybe_unused]] const auto logits, model_.forward(chunk, cache, 1));
    }
    return {};
  }

  models::Model& model_;
  const BenchArgs& args_;
  std::vector<nn::KvCache> caches_;
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
  Bench bench(model, args);
  ATELIER_RETURN_IF_ERROR(bench.prepare(*std::max_element(batches.begin(), batches.end())));
  const auto num_measured = static_cast<int64_t>(batches.size()) + (args.prompt > 0 ? 1 : 0);
  Progress progress(console, "bench", num_measured * (args.repetitions + 1));
  int64_t done = 0;
  if (args.prompt > 0) {
    ATELIER_TRY(report.prefill_tok_s, measure(args.repetitions, progress, done, [&] { return bench.prefill(); }));
  }
  for (const int64_t batch : args.generate > 0 ? batches : std::vector<int64_t>()) {
    ATELIER_TRY(const double rate, measure(args.repetitions, progress, done, [&] { return bench.decode(batch); }));
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
  if (args.model.context == 0) args.model.context = args.depth + std::max<int64_t>(1, std::max(args.prompt, args.generate));
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
