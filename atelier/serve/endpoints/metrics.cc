// GET /metrics: counts in Prometheus' text format, by llama.cpp's names where they mean the same.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "atelier/serve/endpoint.h"
#include "atelier/serve/service.h"

namespace atelier::serve {
namespace {

using ModelMetrics = EngineThread::ModelMetrics;

struct Series {
  const char* name;
  const char* type;
  const char* help;
  double (*value)(const ModelMetrics& metrics);
};

template <int64_t generate::EngineMetrics::*kMember>
double count(const ModelMetrics& metrics) {
  return static_cast<double>(metrics.engine.*kMember);
}

double kept_ratio(const ModelMetrics& metrics) {
  const auto& engine = metrics.engine;
  return engine.kv_pages == 0 ? 0 : 1 - static_cast<double>(engine.kv_pages_free) / static_cast<double>(engine.kv_pages);
}

using Metrics = generate::EngineMetrics;
constexpr Series kSeries[] = {
    {"llamacpp:prompt_tokens_total", "counter", "Tokens of prompts that were computed", count<&Metrics::prefill_tokens>},
    {"llamacpp:tokens_predicted_total", "counter", "Tokens of answers", count<&Metrics::decode_tokens>},
    {"llamacpp:n_decode_total", "counter", "Forward passes", count<&Metrics::steps>},
    {"llamacpp:requests_processing", "gauge", "Answers being written", count<&Metrics::num_running>},
    {"llamacpp:requests_deferred", "gauge", "Requests that wait", count<&Metrics::num_queued>},
    {"llamacpp:kv_cache_usage_ratio", "gauge", "Part of the key and value pages in use", kept_ratio},
    {"atelier:requests_total", "counter", "Requests to the engine", count<&Metrics::requests>},
    {"atelier:requests_cancelled_total", "counter", "Of them, cancelled", count<&Metrics::cancelled>},
    {"atelier:requests_failed_total", "counter", "Of them, failed", count<&Metrics::failed>},
    {"atelier:prompt_tokens_reused_total", "counter", "Tokens of prompts whose keys and values were there", count<&Metrics::reused_tokens>},
    {"atelier:drafted_tokens_total", "counter", "Tokens that speculation proposed", count<&Metrics::drafted_tokens>},
    {"atelier:accepted_tokens_total", "counter", "Of them, taken", count<&Metrics::accepted_tokens>},
    {"atelier:busy_seconds_total", "counter", "Time in forward passes", [](const ModelMetrics& metrics) { return metrics.busy_s; }},
};

int64_t resident_bytes() {
  long total = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<int64_t>(resident) * ::sysconf(_SC_PAGESIZE);
}

// A label's value may hold anything but a quote, a backslash or a line break as they are.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::optional<ApiError> handle(Call& call) {
  std::string text;
  const auto models = call.engines.metrics();
  const auto head = [&](const char* name, const char* type, const char* help) {
    text += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  };
  for (const Series& series : kSeries) {
    head(series.name, series.type, series.help);
    for (const ModelMetrics& model : models)
      text += fmt::format("{}{{model=\"{}\"}} {}\n", series.name, escaped(model.name), series.value(model));
  }
  head("atelier:responses_total", "counter", "Responses by status");
  for (const auto& [status, number] : call.service.responses())
    text += fmt::format("atelier:responses_total{{status=\"{}\"}} {}\n", status, number);
  head("process_resident_memory_bytes", "gauge", "Memory of the process");
  text += fmt::format("process_resident_memory_bytes {}\n", resident_bytes());
  call.reply->send({200, {{"Content-Type", "text/plain; version=0.0.4"}}, std::move(text)});
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_metrics;
const EndpointDef endpoint_metrics = {"GET", "/metrics", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
