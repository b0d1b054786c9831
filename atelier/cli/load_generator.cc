#include "atelier/cli/load_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/io/http_streams.h"

namespace atelier::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kPatience_s = 0.05;         // of one look at the sockets
constexpr size_t kMaxAnswerBytes = 1 << 20;  // of an answer to GET /v1/models, or of one event

enum Stream : uint64_t { kSharedIds = 1, kGaps, kLeaving, kIds };  // of random numbers; ids of prompt n have kIds + n

double seconds_between(Clock::time_point begin, Clock::time_point end) { return std::chrono::duration<double>(end - begin).count(); }

std::vector<std::string> headers_of(const LoadOptions& options) {
  std::vector<std::string> headers = {"Content-Type: application/json"};
  if (!options.key.empty()) headers.push_back("Authorization: Bearer " + options.key);
  return headers;
}

// An answer as it comes: server-sent events whose data is OpenAI's text_completion.
class Answer {
 public:
  explicit Answer(double leaves_after) : leaves_after_(leaves_after) {}

  Clock::time_point start = Clock::now(), first, last;
  std::vector<double> gaps_ms;  // between pieces of text
  int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;

  bool has_begun() const { return num_pieces_ > 0; }
  const std::string& unread() const { return line_; }

  bool take(std::string_view bytes) {
    for (const char byte : bytes) {
      if (byte != '\n') {
        line_ += byte;
        continue;
      }
      if (line_.starts_with("data: {")) read_event(line_.substr(6));
      line_.clear();
    }
    return line_.size() <= kMaxAnswerBytes && (leaves_after_ < 0 || static_cast<double>(num_pieces_) < leaves_after_);
  }

 private:
  void read_event(const std::string& data) {
    const auto event = Json::parse(data, "event");
    if (!event.ok()) return;
    if (const Json* usage = event->find("usage"); usage != nullptr && usage->is_object()) read_usage(*usage);
    const Json* choices = event->find("choices");
    if (choices == nullptr || !choices->is_array() || choices->as_array().empty()) return;
    const Json* text = choices->as_array()[0].find("text");
    if (text == nullptr || !text->is_string() || text->as_string().empty()) return;
    const auto now = Clock::now();
    if (num_pieces_++ == 0) {
      first = now;
    } else {
      gaps_ms.push_back(1000 * seconds_between(last, now));
    }
    last = now;
  }
  void read_usage(const Json& usage) {
    const auto count = [](const Json& of, const char* key) {
      const Json* value = of.find(key);
      return value != nullptr && value->is_int() ? value->as_int() : 0;
    };
    prompt_tokens = count(usage, "prompt_tokens");
    output_tokens = count(usage, "completion_tokens");
    if (const Json* details = usage.find("prompt_tokens_details"); details != nullptr && details->is_object()) {
      cached_tokens = count(*details, "cached_tokens");
    }
  }

  double leaves_after_;  // pieces; below 0: it stays
  int64_t num_pieces_ = 0;
  std::string line_;
};

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, io::HttpStreams& streams) : options_(options), streams_(streams) {}

  Status warm_up() {
    for (int64_t i = 0; i < options_.warmup; ++i) start(options_.requests + i, 0, [] {});
    while (streams_.num_open() > 0) ATELIER_RETURN_IF_ERROR(streams_.run(kPatience_s));
    report_ = {};
    first_ms_.clear();
    between_ms_.clear();
    request_ms_.clear();
    return {};
  }

  Result<LoadReport> run(const std::function<bool(int64_t)>& progress) {
    start_ = Clock::now();
    clients_.resize(options_.rate > 0 ? 1 : static_cast<size_t>(std::min(options_.streams, options_.requests)));
    const Status status = options_.rate > 0 ? run_open(progress) : run_closed(progress);
    if (!status.ok()) return status;
    report_.seconds = seconds_between(start_, end_);
    report_.first_token = percentiles(std::move(first_ms_));
    report_.between_tokens = percentiles(std::move(between_ms_));
    report_.request = percentiles(std::move(request_ms_));
    if (options_.rate == 0) report_.fairness = fairness();
    return std::move(report_);
  }

 private:
  struct Client {
    int64_t tokens = 0;
    Clock::time_point end;
  };

  Status run_closed(const std::function<bool(int64_t)>& progress) {
    for (size_t client = 0; client < clients_.size(); ++client) ask_again(client);
    return wait(progress);
  }
  void ask_again(size_t client) {
    if (num_started_ < options_.requests) start(num_started_++, client, [this, client] { ask_again(client); });
  }

  Status run_open(const std::function<bool(int64_t)>& progress) {
    double due_s = 0;
    while (num_started_ < options_.requests) {
      const double wait_s = due_s - seconds_between(start_, Clock::now());
      if (wait_s > 0.0005) {
        ATELIER_RETURN_IF_ERROR(streams_.run(std::min(wait_s, kPatience_s)));
        if (!progress(num_ended_)) return interrupted();
        continue;
      }
      const double draw = random_uniform(options_.seed, kGaps, static_cast<uint64_t>(num_started_));
      due_s -= std::log1p(-draw) / options_.rate;
      start(num_started_++, 0, [] {});
    }
    return wait(progress);
  }

  Status wait(const std::function<bool(int64_t)>& progress) {
    while (streams_.num_open() > 0) {
      ATELIER_RETURN_IF_ERROR(streams_.run(kPatience_s));
      if (!progress(num_ended_)) return interrupted();
    }
    return {};
  }
  static Status interrupted() { return Status::cancelled("load: interrupted; run it again"); }

  // Without the first tenth of the vocabulary: special tokens and bytes stand there.
  Json prompt(int64_t number) const {
    const int64_t first = options_.vocabulary / 10;
    if (!options_.prompts.empty()) return options_.prompts[static_cast<size_t>(number) % options_.prompts.size()];
    Json ids = Json::array();
    for (int64_t i = 0; i < options_.prompt; ++i) {
      const uint64_t sequence = i < options_.shared ? uint64_t{kSharedIds} : kIds + static_cast<uint64_t>(number);
      const uint64_t draw = random_bits(options_.seed, sequence, static_cast<uint64_t>(i));
      ids.push_back(first + static_cast<int64_t>(draw % static_cast<uint64_t>(options_.vocabulary - first)));
    }
    return ids;
  }

  void start(int64_t number, size_t client, std::function<void()> then) {
    Json body = Json::object().set("model", options_.model).set("prompt", prompt(number)).set("stream", true).set("temperature", 0);
    body.set("max_tokens", options_.generate).set("ignore_eos", true).set("stream_options", Json::object().set("include_usage", true));
    const auto position = static_cast<uint64_t>(number);
    const bool leaves = random_uniform(options_.seed, kLeaving, position) < options_.leave;
    const double part = random_uniform(options_.seed, kLeaving, position, 1);
    auto answer = std::make_shared<Answer>(leaves ? std::floor(part * static_cast<double>(options_.generate)) : -1);
    io::HttpStreams::Hooks hooks;
    hooks.on_bytes = [answer](std::string_view bytes) { return answer->take(bytes); };
    hooks.on_end = [this, answer, client, then = std::move(then)](const Result<int>& status) {
      take(*answer, status, client);
      then();
    };
    streams_.start({options_.url + "/v1/completions", headers_of(options_), body.dump(), options_.ca_file}, std::move(hooks));
  }

  void take(const Answer& answer, const Result<int>& status, size_t client) {
    ++num_ended_;
    end_ = Clock::now();
    if (!status.ok() && status.status().code() == StatusCode::kCancelled) {
      ++report_.left;
      return;
    }
    if (!status.ok() || *status != 200 || !answer.has_begun()) {
      ++report_.failed[!status.ok() ? status.status().message() : *status != 200 ? std::to_string(*status) : "no text"];
      return;
    }
    ++report_.completed;
    if (answer.output_tokens != options_.generate) ++report_.short_answers;
    report_.prompt_tokens += answer.prompt_tokens;
    report_.cached_tokens += answer.cached_tokens;
    report_.output_tokens += answer.output_tokens;
    first_ms_.push_back(1000 * seconds_between(answer.start, answer.first));
    request_ms_.push_back(1000 * seconds_between(answer.start, answer.last));
    between_ms_.insert(between_ms_.end(), answer.gaps_ms.begin(), answer.gaps_ms.end());
    if (client < clients_.size()) {
      clients_[client].tokens += answer.output_tokens;
      clients_[client].end = end_;
    }
  }

  double fairness() const {
    double slowest = INFINITY, fastest = 0;
    for (const Client& client : clients_) {
      const double rate = client.tokens == 0 ? 0 : static_cast<double>(client.tokens) / seconds_between(start_, client.end);
      slowest = std::min(slowest, rate);
      fastest = std::max(fastest, rate);
    }
    return fastest > 0 ? slowest / fastest : 0;
  }

  const LoadOptions& options_;
  io::HttpStreams& streams_;
  LoadReport report_;
  std::vector<double> first_ms_, between_ms_, request_ms_;
  std::vector<Client> clients_;
  int64_t num_started_ = 0, num_ended_ = 0;
  Clock::time_point start_, end_;
};

}  // namespace

Percentiles percentiles(std::vector<double> values_ms) {
  if (values_ms.empty()) return {};
  std::sort(values_ms.begin(), values_ms.end());
  const auto at = [&](double part) {
    const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(values_ms.size())));
    return values_ms[std::max<size_t>(rank, 1) - 1];
  };
  return {at(0.5), at(0.95), at(0.99), values_ms.back()};
}

Result<LoadReport> run_load(const LoadOptions& options, const std::function<bool(int64_t done)>& progress) {
  ATELIER_TRY(const auto streams, io::HttpStreams::create());
  LoadRun run(options, *streams);
  ATELIER_RETURN_IF_ERROR(run.warm_up());
  ATELIER_TRY(LoadReport report, run.run(progress));
  if (report.completed > 0 || report.left > 0 || report.failed.empty()) return report;
  return Status::io(
      fmt::format("load: no answer at all, the server says {}; check the address, the model and the key", report.failed.begin()->first));
}

Result<std::string> first_model_of(const LoadOptions& options) {
  ATELIER_TRY(const auto streams, io::HttpStreams::create());
  std::string body;
  Result<int> status = 0;
  io::HttpStreams::Hooks hooks;
  hooks.on_bytes = [&](std::string_view bytes) {
    body += bytes;
    return body.size() <= kMaxAnswerBytes;
  };
  hooks.on_end = [&](const Result<int>& ended) { status = ended; };
  streams->start({options.url + "/v1/models", headers_of(options), "", options.ca_file}, std::move(hooks));
  while (streams->num_open() > 0) ATELIER_RETURN_IF_ERROR(streams->run(kPatience_s));
  if (!status.ok()) return status.status();
  if (*status != 200)
    return Status::io(fmt::format("{}/v1/models: the server answers {}; check the address and the key", options.url, *status));
  const auto models = Json::parse(body, "models");
  const Json* data = models.ok() ? models->find("data") : nullptr;
  if (data != nullptr && data->is_array() && !data->as_array().empty()) {
    const Json* id = data->as_array()[0].find("id");
    if (id != nullptr && id->is_string()) return id->as_string();
  }
  return Status::io(fmt::format("{}/v1/models: names no model; give --model", options.url));
}

}  // namespace atelier::cli
