// Random arrivals and cancellations on one engine, for as many requests or minutes as asked: memory must stay flat, every request must
// end once, and what finished must be what it says alone.
//
//   engine_soak MODEL [--requests 10000] [--minutes 0] [--streams 32] [--seed 1]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "atelier/base/rng.h"
#include "atelier/generate/engine.h"
#include "atelier/models/model.h"

namespace {

using namespace atelier;
using generate::Engine;
using generate::Request;

struct SoakArgs {
  std::string model;
  int64_t requests = 10000, minutes = 0, streams = 32, seed = 1;
};

// A line of /proc/self/status in KiB: "RssAnon:", memory that the process has taken, or "RssFile:", what is mapped of the model's file
// and happens to be in memory.
int64_t status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == key && status >> kib) return kib;
  }
  return 0;
}
int64_t resident_kib() { return status_kib("RssAnon:"); }

class Soak {
 public:
  Soak(models::Model& model, Engine& engine, Engine& alone, const SoakArgs& args)
      : model_(model), engine_(engine), alone_(alone), args_(args) {}

  Status run();

 private:
  uint64_t random(uint64_t below) { return random_bits(static_cast<uint64_t>(args_.seed), 0, num_random_++) % below; }
  bool is_over(int64_t arrived) const {
    return args_.minutes > 0 ? seconds() > 60.0 * static_cast<double>(args_.minutes) : arrived >= args_.requests;
  }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  Status fill(Engine& engine, int64_t streams);
  Request random_request(uint64_t number);
  Status arrive(uint64_t number);
  Status compare(uint64_t number, const generate::Generation& generation);
  void show(int64_t arrived) const;

  models::Model& model_;
  Engine& engine_;
  Engine& alone_;
  const SoakArgs& args_;
  uint64_t num_random_ = 0;
  std::map<Engine::RequestId, uint64_t> open_;  // and their numbers
  int64_t num_ended_ = 0, num_cancelled_ = 0, num_compared_ = 0;
  Status failure_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Makes an engine take whatever this load will ever make it take: samplers of all streams at once, then every page, and the logits of as
// many rows as are held at once.
Status Soak::fill(Engine& engine, int64_t streams) {
  for (const int64_t length : {40, 200}) {
    for (int64_t i = 0; i < streams; ++i) {
      Request request = random_request(static_cast<uint64_t>(i));
      request.prompt.assign(static_cast<size_t>(length), static_cast<int32_t>(i));
      request.options.max_tokens = 24;
      request.options.sampling.temperature = 1;
      request.options.report_prompt = length == 200 && i == 0;
      ATELIER_TRY([[maybe_unused]] const auto id, engine.submit(std::move(request)));
    }
    while (engine.has_work()) ATELIER_RETURN_IF_ERROR(engine.step());
  }
  return {};
}

// A function of `number` alone, so that it can be asked again: one of 16 beginnings, an end of its own, any sampler.
Request Soak::random_request(uint64_t number) {
  const auto seed = static_cast<uint64_t>(args_.seed);
  const auto pick = [&](uint64_t what, uint64_t below) { return random_bits(seed + 1, number, what) % below; };
  const auto token = [&](uint64_t sequence, uint64_t at) {
    return static_cast<int32_t>(random_bits(seed + 2, sequence, at) % static_cast<uint64_t>(model_.spec().vocab_size));
  };
  Request request;
  const uint64_t beginning = pick(0, 16), shared = pick(1, 150), own = 1 + pick(2, 40);
  for (uint64_t i = 0; i < shared; ++i) request.prompt.push_back(token(beginning, i));
  for (uint64_t i = 0; i < own; ++i) request.prompt.push_back(token(100 + number, i));
  request.options.max_tokens = static_cast<int64_t>(pick(3, 24));
  request.options.sampling.temperature = pick(4, 2) == 0 ? 0 : 1;
  request.options.sampling.seed = number;
  request.priority = static_cast<int>(pick(5, 3));
  request.cache_scope = pick(6, 4) == 0 ? "other" : "";
  return request;
}

Status Soak::arrive(uint64_t number) {
  Request request = random_request(number);
  auto id = std::make_shared<Engine::RequestId>(0);
  request.hooks.on_finish = [this, id, number](const Result<generate::Generation>& generation) {
    ++num_ended_;
    open_.erase(*id);
    if (!generation.ok()) {
      failure_ = generation.status();
    } else if (generation->finish == generate::FinishReason::kCancelled) {
      ++num_cancelled_;
    } else if (number % 50 == 0) {
      if (const Status same = compare(number, *generation); !same.ok()) failure_ = same;
    }
  };
  ATELIER_TRY(*id, engine_.submit(std::move(request)));
  open_.emplace(*id, number);
  return {};
}

Status Soak::compare(uint64_t number, const generate::Generation& generation) {
  ATELIER_TRY(const generate::Generation expected, alone_.generate(random_request(number)));
  ++num_compared_;
  if (expected.ids == generation.ids) return {};
  return Status::corrupt("request " + std::to_string(number) + " says something else beside others than alone");
}

void Soak::show(int64_t arrived) const {
  const auto metrics = engine_.metrics();
  std::printf(
      "%7.0f s  %6lld arrived, %lld cancelled, %lld compared; %lld prompt tokens, %lld reused; %lld written; resident %.1f MiB, %.1f of "
      "files\n",
      seconds(), static_cast<long long>(arrived), static_cast<long long>(num_cancelled_), static_cast<long long>(num_compared_),
      static_cast<long long>(metrics.prompt_tokens), static_cast<long long>(metrics.reused_tokens),
      static_cast<long long>(metrics.decode_tokens), static_cast<double>(resident_kib()) / 1024,
      static_cast<double>(status_kib("RssFile:")) / 1024);
  std::fflush(stdout);
}

Status Soak::run() {
  constexpr int64_t kAllowedGrowthKib = 4096;
  ATELIER_RETURN_IF_ERROR(fill(engine_, args_.streams));
  ATELIER_RETURN_IF_ERROR(fill(alone_, 1));
  start_ = std::chrono::steady_clock::now();
  int64_t arrived = 0, early_kib = resident_kib(), late_kib = 0;  // the most of the first half, and of the second
  double next_line = 0;
  while (!is_over(arrived) || engine_.has_work()) {
    while (!is_over(arrived) && static_cast<int64_t>(open_.size()) < args_.streams && random(4) != 0) {
      ATELIER_RETURN_IF_ERROR(arrive(static_cast<uint64_t>(arrived++)));
    }
    if (!open_.empty() && random(12) == 0) {
      auto victim = open_.begin();
      std::advance(victim, random(open_.size()));
      engine_.cancel(victim->first);
    }
    ATELIER_RETURN_IF_ERROR(engine_.step());
    if (!failure_.ok()) return failure_;
    const double part = args_.minutes > 0 ? seconds() / (60.0 * static_cast<double>(args_.minutes))
                                          : static_cast<double>(arrived) / static_cast<double>(args_.requests);
    int64_t& most_kib = part < 0.5 ? early_kib : late_kib;
    most_kib = std::max(most_kib, resident_kib());
    if (seconds() >= next_line) {
      show(arrived);
      next_line = seconds() + 30;
    }
  }
  show(arrived);
  const auto metrics = engine_.metrics();
  if (num_ended_ != arrived) return Status::corrupt("requests that never ended");
  if (metrics.kv_pages_free + metrics.kv_pages_kept != metrics.kv_pages) return Status::corrupt("pages that nobody owns are not free");
  if (num_compared_ == 0) return Status::invalid("too short a run, nothing was compared; give more requests or minutes");
  if (late_kib > early_kib + kAllowedGrowthKib) {
    return Status::corrupt("memory grew from " + std::to_string(early_kib) + " to " + std::to_string(late_kib) + " KiB");
  }
  std::printf("engine_soak: %lld requests, %lld compared, memory flat (at most %lld KiB in the first half, %lld KiB in the second)\n",
              static_cast<long long>(arrived), static_cast<long long>(num_compared_), static_cast<long long>(early_kib),
              static_cast<long long>(late_kib));
  return {};
}

Status soak(const SoakArgs& args) {
  ATELIER_TRY(auto model, models::load_model(args.model, {.context = 256}));
  const nn::KvLayout layout(model->spec(), model->kv_dtype());
  // Less memory than the streams want, so that requests wait and remembered prefixes give way.
  const generate::EngineOptions options{
      .max_sequences = args.streams, .kv_bytes = 2 * args.streams * layout.page_bytes(), .speculation = generate::Speculation::kLookup};
  ATELIER_TRY(auto engine, Engine::create(*model, options));
  ATELIER_TRY(auto alone, Engine::create(*model, {.max_sequences = 1, .keeps_prefixes = false}));
  return Soak(*model, *engine, *alone, args).run();
}

}  // namespace

int main(int argc, char** argv) {
  SoakArgs args;
  if (argc > 1) args.model = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    for (const auto& [name, value] : {std::pair("--requests", &args.requests), std::pair("--minutes", &args.minutes),
                                      std::pair("--streams", &args.streams), std::pair("--seed", &args.seed)}) {
      if (std::strcmp(argv[i], name) == 0) *value = std::atoll(argv[i + 1]);
    }
  }
  if (args.model.empty()) {
    std::fprintf(stderr, "usage: engine_soak MODEL [--requests 10000] [--minutes 0] [--streams 32] [--seed 1]\n");
    return 2;
  }
  const Status status = soak(args);
  if (!status.ok()) std::fprintf(stderr, "engine_soak: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
