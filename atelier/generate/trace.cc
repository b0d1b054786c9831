#include "atelier/generate/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "atelier/generate/token_text.h"
#include "atelier/nn/attention_weights.h"

namespace atelier::generate {
namespace {

// The numbers asked for, in their order; all of 0 .. count - 1 when none are.
Result<std::vector<int64_t>> chosen(const char* what, const std::vector<int64_t>& asked, int64_t count) {
  if (asked.empty()) {
    std::vector<int64_t> all(static_cast<size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  for (const int64_t number : asked) {
    if (number < 0 || number >= count) return Status::out_of_range(fmt::format("{}: {}, must be in [0, {}]", what, number, count - 1));
  }
  return asked;
}

Status check_size(const Trace& trace, const TraceRequest& request, int64_t width) {
  const auto count = [](const auto& list) { return static_cast<int64_t>(list.size()); };
  const int64_t T = count(trace.ids), P = count(trace.positions), kValue = 4, kTop = 48;
  int64_t bytes = 0;
  if (request.has_attention) bytes += count(trace.layers) * count(trace.heads) * P * T * kValue;
  if (request.has_residual) bytes += count(trace.states) * P * width * kValue;
  if (request.has_lens) bytes += count(trace.states) * P * request.num_top * kTop;
  if (bytes <= request.max_bytes) return {};
  return Status::out_of_range(
      fmt::format("trace: {} layers, {} heads and {} positions of {} tokens are {:.1f} MiB, at most {:.1f} are given at "
                  "once; name fewer layers, heads or positions",
                  count(trace.states), count(trace.heads), P, T, static_cast<double>(bytes) / (1 << 20),
                  static_cast<double>(request.max_bytes) / (1 << 20)));
}

bool has(const std::vector<int64_t>& list, int64_t number) { return std::ranges::find(list, number) != list.end(); }

// Fills a trace whose lists are set.
class Recorder final : public nn::Probe {
 public:
  Recorder(const models::Model& model, const TraceRequest& request, Trace& trace) : model_(model), request_(request), trace_(trace) {}

  void state(Context& context, int64_t index, const Tensor& x) override {
    if (!has(trace_.states, index)) return;
    const Tensor rows = wanted(context, x);
    if (request_.has_residual) trace_.residual.insert(trace_.residual.end(), rows.f32(), rows.f32() + rows.count());
    if (!request_.has_lens) return;
    const bool is_last = index == model_.spec().num_layers();
    read_lens(model_.transformer().logits(context, is_last ? rows : model_.transformer().finish(context, rows)));
  }

  void attention(int64_t layer, const kernels::AttentionShape& shape, const Tensor& q, const Tensor& k) override {
    if (!request_.has_attention || !has(trace_.layers, layer)) return;
    for (const int64_t head : trace_.heads) {
      for (const int64_t position : trace_.positions) {
        trace_.attention.resize(trace_.attention.size() + trace_.ids.size());
        nn::attention_weights(shape, q, k, head, position, trace_.attention.data() + trace_.attention.size() - trace_.ids.size());
      }
    }
  }

  // Of the first value that was not finite.
  const Status& status() const { return status_; }

 private:
  // The positions' rows of x, [P, C].
  Tensor wanted(Context& context, const Tensor& x) const {
    const int64_t C = x.dim(1);
    Tensor rows = context.arena.empty_f32({static_cast<int64_t>(trace_.positions.size()), C});
    for (size_t i = 0; i < trace_.positions.size(); ++i) {
      std::memcpy(rows.f32() + static_cast<int64_t>(i) * C, x.f32() + trace_.positions[i] * C, static_cast<size_t>(C) * sizeof(float));
    }
    return rows;
  }

  void read_lens(const Tensor& logits) {
    const auto vocabulary = static_cast<size_t>(logits.dim(1));
    for (size_t i = 0; i < trace_.positions.size(); ++i) {
      const std::span<const float> row(logits.f32() + i * vocabulary, vocabulary);
      const Result<double> normaliser = log_normaliser(row);
      if (!normaliser.ok()) {
        if (status_.ok()) status_ = normaliser.status();
        return;
      }
      const auto next = static_cast<size_t>(trace_.positions[i]) + 1;
      const bool is_inside = next < trace_.ids.size();
      TokenReport report = report_token(row, *normaliser, is_inside ? trace_.ids[next] : 0, request_.num_top);
      if (!is_inside) report.id = -1;
      trace_.lens.push_back(std::move(report));
    }
  }

  const models::Model& model_;
  const TraceRequest& request_;
  Trace& trace_;
  Status status_;
};

Json numbers(const std::vector<int64_t>& list) { return Json::Array(list.begin(), list.end()); }

// Nested arrays of `values`, the last dimension innermost.
Json nested(std::span<const float> values, std::span<const size_t> shape) {
  Json array = Json::array();
  if (shape.size() == 1) {
    for (const float value : values) array.push_back(static_cast<double>(value));
    return array;
  }
  const size_t part = shape[0] == 0 ? 0 : values.size() / shape[0];
  for (size_t i = 0; i < shape[0]; ++i) array.push_back(nested(values.subspan(i * part, part), shape.subspan(1)));
  return array;
}

Json token_json(int32_t id, double logprob, const TokenText* text) {
  Json token = Json::object().set("id", id);
  if (text != nullptr) token.set("token", (*text)(id));
  return token.set("logprob", logprob);
}

Json lens_json(const Trace& trace, const TokenText* text) {
  Json states = Json::array();
  for (size_t i = 0; i < trace.lens.size(); ++i) {
    if (i % trace.positions.size() == 0) states.push_back(Json::array());
    const TokenReport& report = trace.lens[i];
    Json top = Json::array();
    for (const TokenLogprob& token : report.top) top.push_back(token_json(token.id, token.logprob, text));
    Json entry = Json::object().set("top", top);
    if (report.id >= 0) entry.set("next", token_json(report.id, report.logprob, text));
    states.as_array().back().push_back(entry);
  }
  return states;
}

}  // namespace

Result<Trace> trace(models::Model& model, const TraceRequest& request) {
  const auto T = static_cast<int64_t>(request.ids.size());
  const nn::TransformerSpec& spec = model.spec();
  if (T == 0) return Status::invalid("trace: no tokens, at least 1 is needed; give some text");
  if (T > model.context()) {
    return Status::invalid(fmt::format("trace: {} tokens, the context holds {}; give fewer or raise --context", T, model.context()));
  }
  Trace out;
  out.ids = request.ids;
  ATELIER_TRY(out.states, chosen("layer", request.layers, spec.num_layers() + 1));
  ATELIER_TRY(out.heads, chosen("head", request.heads, spec.num_heads));
  ATELIER_TRY(out.positions, chosen("position", request.positions, T));
  // A pass meets states in ascending order, and so do the results.
  std::ranges::sort(out.states);
  out.states.erase(std::unique(out.states.begin(), out.states.end()), out.states.end());
  std::ranges::copy_if(out.states, std::back_inserter(out.layers), [&](int64_t layer) { return layer < spec.num_layers(); });
  ATELIER_RETURN_IF_ERROR(check_size(out, request, spec.width));
  Recorder recorder(model, request, out);
  ATELIER_RETURN_IF_ERROR(model.look(request.ids, recorder));
  if (!recorder.status().ok()) return recorder.status();
  return out;
}

Json to_json(const Trace& trace, const tokenize::Tokenizer* tokenizer) {
  std::optional<TokenText> text;
  if (tokenizer != nullptr) text.emplace(*tokenizer);
  Json ids = Json::array(), tokens = Json::array();
  for (const int32_t id : trace.ids) {
    ids.push_back(id);
    if (text) tokens.push_back((*text)(id));
  }
  Json out = Json::object().set("ids", ids);
  if (text) out.set("tokens", tokens);
  out.set("positions", numbers(trace.positions));
  if (!trace.attention.empty()) {
    const size_t shape[] = {trace.layers.size(), trace.heads.size(), trace.positions.size(), trace.ids.size()};
    out.set("attention", Json::object()
                             .set("layers", numbers(trace.layers))
                             .set("heads", numbers(trace.heads))
                             .set("values", nested(trace.attention, shape)));
  }
  if (!trace.residual.empty()) {
    const size_t rows = trace.states.size() * trace.positions.size();
    const size_t shape[] = {trace.states.size(), trace.positions.size(), trace.residual.size() / rows};
    out.set("residual", Json::object().set("states", numbers(trace.states)).set("values", nested(trace.residual, shape)));
  }
  if (!trace.lens.empty()) {
    out.set("lens", Json::object().set("states", numbers(trace.states)).set("values", lens_json(trace, text ? &*text : nullptr)));
  }
  return out;
}

}  // namespace atelier::generate
