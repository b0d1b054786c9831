// Load on a whole server, over its socket, for as many minutes as asked: clients that come, wait, read slowly and leave. Memory must stay
// flat, every answer must come whole and to whom it belongs, be what the engine says alone, and /health must stay quick.
//
//   serve_soak MODEL [--minutes 10] [--streams 32] [--seed 1]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/generate/default_sampling.h"
#include "atelier/io/http_streams.h"
#include "atelier/serve/engine_thread.h"
#include "atelier/serve/http/server.h"
#include "atelier/serve/service.h"

namespace {

using namespace atelier;
using Clock = std::chrono::steady_clock;

struct SoakArgs {
  std::string model;
  int64_t minutes = 10, streams = 32, seed = 1;
};

constexpr int64_t kAllowedGrowthKib = 8192;
constexpr int64_t kComparedEvery = 20;  // answers
constexpr double kMaxHealthMs = 50;

// Memory that the process has taken, without files that are mapped.
int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib;
  }
  return 0;
}

// A function of `number` alone, so that it can be asked again.
struct Question {
  Question(uint64_t seed, uint64_t number) {
    const auto pick = [&](uint64_t what, uint64_t below) { return static_cast<int64_t>(random_bits(seed, number, what) % below); };
    const int64_t beginning = pick(0, 16), length = 2 + pick(1, 120);
    for (int64_t i = 0; i < length; ++i) {
      const bool is_common = i < length / 2;
      const uint64_t draw =
          random_bits(seed, is_common ? (uint64_t{1} << 40) + static_cast<uint64_t>(beginning) : number, 100 + static_cast<uint64_t>(i));
      ids.push_back(static_cast<int32_t>(30 + draw % 280));
    }
    num_tokens = 1 + pick(2, 64);
    temperature = pick(3, 2) == 0 ? 0 : 1;
    is_stream = pick(4, 4) != 0;
    leaves_after = pick(5, 5) == 0 ? pick(6, 4000) : -1;
    random_seed = static_cast<int64_t>(number);
  }
  std::string body() const {
    Json json = Json::object().set("prompt", Json::Array(ids.begin(), ids.end())).set("max_tokens", num_tokens).set("seed", random_seed);
    json.set("temperature", temperature).set("ignore_eos", true).set("stream", is_stream);
    return json.dump();
  }

  std::vector<int32_t> ids;
  int64_t num_tokens = 0, temperature = 0, leaves_after = -1, random_seed = 0;  // leaves_after: bytes; below 0: it stays
  bool is_stream = false;
};

// The text of a whole answer; nothing when it is not whole.
std::optional<std::string> text_of(const std::string& body, bool is_stream) {
  const auto text_in = [](const Json& answer) { return answer.find("choices")->as_array().at(0).find("text")->as_string(); };
  if (!is_stream) {
    const auto answer = Json::parse(body, "answer");
    return answer.ok() ? std::optional(text_in(*answer)) : std::nullopt;
  }
  if (!body.ends_with("data: [DONE]\n\n")) return std::nullopt;
  std::string text;
  for (size_t begin = 0, end; (end = body.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    if (body.compare(begin, 7, "data: {") != 0) continue;
    const auto event = Json::parse(std::string_view(body).substr(begin + 6, end - begin - 6), "event");
    if (!event.ok()) return std::nullopt;
    text += text_in(*event);
  }
  return text;
}

class Soak {
 public:
  explicit Soak(const SoakArgs& args)
      : args_(args), engines_({{"model", args.streams, [this] { return load(); }}}, {.max_queue = args.streams}) {}

  Status run();

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool is_over() const { return seconds() > 60.0 * static_cast<double>(args_.minutes); }
  Result<serve::LoadedModel> load();
  void ask(io::HttpStreams& streams, uint64_t number);
  void take(uint64_t number, const std::string& body, const Result<int>& status);
  void probe_health(io::HttpStreams& streams);
  Result<std::string> alone(const Question& question);
  void fail(const std::string& why) {
    if (failure_.ok()) failure_ = Status::corrupt(why);
  }
  void show();

  const SoakArgs& args_;
  std::unique_ptr<generate::Engine> alone_;  // of the owner thread
  serve::EngineThread engines_;
  std::string url_;
  uint64_t num_asked_ = 0;
  int64_t num_whole_ = 0, num_left_ = 0, num_compared_ = 0;
  std::vector<std::pair<uint64_t, std::string>> to_compare_;
  std::vector<double> health_ms_;
  Status failure_;
  Clock::time_point start_ = Clock::now();
};

Result<serve::LoadedModel> Soak::load() {
  serve::LoadedModel loaded;
  ATELIER_TRY(loaded.model, models::load_model(args_.model, {.context = 256}));
  // Less memory than the streams want, so that requests wait and remembered prefixes give way.
  const nn::KvLayout layout(loaded.model->spec(), loaded.model->kv_dtype());
  ATELIER_TRY(loaded.engine, generate::Engine::create(
                                 *loaded.model, {.max_sequences = args_.streams, .kv_bytes = 4 * args_.streams * layout.page_bytes()}));
  ATELIER_TRY(alone_, generate::Engine::create(*loaded.model, {.max_sequences = 1, .keeps_prefixes = false}));
  return loaded;
}

// Between two steps of the server's engine: all compute of a process is issued by one thread.
Result<std::string> Soak::alone(const Question& question) {
  std::promise<Result<std::string>> said;
  const auto admission = engines_.run_between_steps([&] {
    generate::Request request;
    request.prompt = question.ids;
    request.options.max_tokens = question.num_tokens;
    request.options.sampling = generate::default_sampling(engines_.find("model")->model().defaults());
    request.options.sampling.temperature = static_cast<double>(question.temperature);
    request.options.sampling.seed = static_cast<uint64_t>(question.random_seed);
    const auto generation = alone_->generate(std::move(request));
    said.set_value(generation.ok() ? Result<std::string>(generation->text) : generation.status());
  });
  if (admission != serve::Admission::kAccepted) return Status::io("the engine takes no task");
  return said.get_future().get();
}

void Soak::ask(io::HttpStreams& streams, uint64_t number) {
  const Question question(static_cast<uint64_t>(args_.seed), number);
  auto body = std::make_shared<std::string>();
  io::HttpStreams::Hooks hooks;
  hooks.on_bytes = [body, leaves_after = question.leaves_after](std::string_view bytes) {
    body->append(bytes);
    return leaves_after < 0 || static_cast<int64_t>(body->size()) < leaves_after;
  };
  hooks.on_end = [this, &streams, body, number](const Result<int>& status) {
    take(number, *body, status);
    if (!is_over() && failure_.ok()) ask(streams, num_asked_++);
  };
  streams.start({url_ + "/v1/completions", {"Content-Type: application/json"}, question.body()}, std::move(hooks));
}

void Soak::take(uint64_t number, const std::string& body, const Result<int>& status) {
  const Question question(static_cast<uint64_t>(args_.seed), number);
  if (!status.ok() && status.status().code() == StatusCode::kCancelled) {
    ++num_left_;
    return;
  }
  if (!status.ok()) return fail(status.status().message());
  if (*status != 200) return fail("status " + std::to_string(*status) + ": " + body);
  const auto text = text_of(body, question.is_stream);
  if (!text) return fail("an answer that is not whole: " + body);
  if (++num_whole_ % kComparedEvery == 0) to_compare_.emplace_back(number, *text);
}

void Soak::probe_health(io::HttpStreams& streams) {
  io::HttpStreams::Hooks hooks;
  hooks.on_bytes = [](std::string_view) { return true; };
  hooks.on_end = [this, asked = Clock::now()](const Result<int>& status) {
    if (!status.ok() || *status != 200) return fail("/health does not answer");
    health_ms_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
  };
  streams.start({url_ + "/health", {}, ""}, std::move(hooks));
}

void Soak::show() {
  std::sort(health_ms_.begin(), health_ms_.end());
  const auto at = [&](double part) {
    return health_ms_.empty() ? 0.0 : health_ms_[static_cast<size_t>(part * static_cast<double>(health_ms_.size() - 1))];
  };
  std::printf("%7.0f s  %lld whole, %lld left, %lld compared; /health p50 %.1f ms, p99 %.1f ms; resident %.1f MiB\n", seconds(),
              static_cast<long long>(num_whole_), static_cast<long long>(num_left_), static_cast<long long>(num_compared_), at(0.5),
              at(0.99), static_cast<double>(resident_kib()) / 1024);
  std::fflush(stdout);
}

Status Soak::run() {
  ATELIER_TRY(const auto service, serve::Service::create(engines_, {}));
  ATELIER_TRY(const auto server, serve::http::Server::listen({.port = 0}, service->callbacks()));
  ATELIER_RETURN_IF_ERROR(engines_.wait_until_loaded());
  url_ = "http://127.0.0.1:" + std::to_string(server->port());
  ATELIER_TRY(const auto streams, io::HttpStreams::create());
  start_ = Clock::now();
  for (int64_t i = 0; i < args_.streams; ++i) ask(*streams, num_asked_++);
  // The first tenth fills what a server keeps; then the most of the first half counts beside that of the second.
  int64_t early_kib = 0, late_kib = 0;
  double next_line = 0, next_probe = 1;
  while (streams->num_open() > 0) {
    ATELIER_RETURN_IF_ERROR(streams->run(0.05));
    if (!failure_.ok()) return failure_;
    for (const auto& [number, text] : std::exchange(to_compare_, {})) {
      ATELIER_TRY(const std::string expected, alone(Question(static_cast<uint64_t>(args_.seed), number)));
      if (expected != text) return Status::corrupt("answer " + std::to_string(number) + " is not what the engine says alone: " + text);
      ++num_compared_;
    }
    if (seconds() > next_probe && !is_over()) {
      probe_health(*streams);
      next_probe = seconds() + 0.5;
    }
    const double part = seconds() / (60.0 * static_cast<double>(args_.minutes));
    if (part > 0.1) (part < 0.5 ? early_kib : late_kib) = std::max(part < 0.5 ? early_kib : late_kib, resident_kib());
    if (seconds() >= next_line) {
      show();
      next_line = seconds() + 30;
    }
  }
  show();
  if (num_compared_ == 0) return Status::invalid("too short a run, nothing was compared; give more minutes");
  for (int i = 0; engines_.num_active() > 0; ++i) {
    if (i == 1000) return Status::corrupt("requests that never end");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  server->stop();
  engines_.stop();
  if (late_kib > early_kib + kAllowedGrowthKib) {
    return Status::corrupt("memory grew from " + std::to_string(early_kib) + " to " + std::to_string(late_kib) + " KiB");
  }
  const double p99 = health_ms_.empty() ? 0 : health_ms_[health_ms_.size() * 99 / 100];
  std::printf("serve_soak: %lld whole, %lld left, %lld compared, memory flat (at most %lld KiB, then %lld KiB), /health p99 %.1f ms%s\n",
              static_cast<long long>(num_whole_), static_cast<long long>(num_left_), static_cast<long long>(num_compared_),
              static_cast<long long>(early_kib), static_cast<long long>(late_kib), p99,
              p99 < kMaxHealthMs ? "" : " (more than 50 ms: is the machine busy?)");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  SoakArgs args;
  if (argc > 1) args.model = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    for (const auto& [name, value] :
         {std::pair("--minutes", &args.minutes), std::pair("--streams", &args.streams), std::pair("--seed", &args.seed)}) {
      if (std::strcmp(argv[i], name) == 0) *value = std::atoll(argv[i + 1]);
    }
  }
  if (args.model.empty() || args.minutes < 1 || args.streams < 1) {
    std::fprintf(stderr, "usage: serve_soak MODEL [--minutes 10] [--streams 32] [--seed 1]\n");
    return 2;
  }
  const Status status = Soak(args).run();
  if (!status.ok()) std::fprintf(stderr, "serve_soak: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
