#include "atelier/cli/bench_report.h"

#include <fmt/format.h>

#include "atelier/base/strings.h"

namespace atelier::cli {
namespace {

Result<BenchReport> from_json(const Json& json) {
  BenchReport report;
  ATELIER_TRY(report.engine, json.get_string("engine"));
  ATELIER_TRY(report.threads, json.get_int("threads"));
  ATELIER_TRY(report.prompt, json.get_int("prompt"));
  ATELIER_TRY(report.generate, json.get_int("generate"));
  ATELIER_TRY(report.depth, json.get_int("depth"));
  ATELIER_TRY(report.kv, json.get_string("kv"));
  ATELIER_TRY(report.prefill_tok_s, json.get_double("prefill_tok_s", 0));
  const Json* batched = json.find("batched");
  if (!batched || !batched->is_array()) return Status::invalid("batched: must be a list of objects with batch and decode_tok_s");
  for (const Json& entry : batched->as_array()) {
    BatchRate rate;
    ATELIER_TRY(rate.batch, entry.get_int("batch"));
    ATELIER_TRY(rate.decode_tok_s, entry.get_double("decode_tok_s"));
    report.batched.push_back(rate);
  }
  return report;
}

template <typename Value>
Status check_same(const char* field, const Value& ours, const Value& theirs, const std::string& name) {
  if (ours == theirs) return {};
  return Status::invalid(fmt::format("--compare: {} is {} in {}, {} in this run; measure both alike", field, theirs, name, ours));
}

Json ratio_json(double ours, double theirs) {
  const std::optional<double> value = ratio(ours, theirs);
  return value ? Json(*value) : Json();
}

}  // namespace

double BenchReport::decode_tok_s(int64_t batch) const {
  for (const BatchRate& rate : batched) {
    if (rate.batch == batch) return rate.decode_tok_s;
  }
  return 0;
}

Result<BenchReport> parse_bench_report(std::string_view text, const std::string& name) {
  ATELIER_TRY(const Json json, Json::parse(text, name));
  const auto refused = [&](const Status& status) {
    return Status::invalid(fmt::format("--compare: {}: {}; give one line that `bench --json` or its like printed", name, status.message()));
  };
  if (!json.is_object()) return refused(Status::invalid("is no JSON object"));
  Result<BenchReport> report = from_json(json);
  if (!report.ok()) return refused(report.status());
  return report;
}

Status check_same_settings(const BenchReport& ours, const BenchReport& peer, const std::string& name) {
  ATELIER_RETURN_IF_ERROR(check_same("threads", ours.threads, peer.threads, name));
  ATELIER_RETURN_IF_ERROR(check_same("prompt", ours.prompt, peer.prompt, name));
  ATELIER_RETURN_IF_ERROR(check_same("generate", ours.generate, peer.generate, name));
  ATELIER_RETURN_IF_ERROR(check_same("depth", ours.depth, peer.depth, name));
  return check_same("kv", ours.kv, peer.kv, name);
}

std::optional<double> ratio(double ours, double theirs) {
  if (ours <= 0 || theirs <= 0) return std::nullopt;
  return ours / theirs;
}

Json comparison_json(const BenchReport& ours, const BenchReport& peer) {
  Json batched = Json::array();
  for (const BatchRate& rate : ours.batched) {
    const std::optional<double> value = ratio(rate.decode_tok_s, peer.decode_tok_s(rate.batch));
    if (value) batched.push_back(Json::object().set("batch", rate.batch).set("ratio", *value));
  }
  Json json = Json::object().set("engine", peer.engine).set("prefill_ratio", ratio_json(ours.prefill_tok_s, peer.prefill_tok_s));
  return json.set("decode_ratio", ratio_json(ours.decode_tok_s(1), peer.decode_tok_s(1))).set("batched", std::move(batched));
}

}  // namespace atelier::cli
