#include "atelier/models/sentence_encoder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "atelier/base/strings.h"
#include "atelier/format/gguf.h"
#include "atelier/io/file.h"
#include "atelier/models/encoder_input.h"

namespace atelier::models {
namespace {

constexpr int64_t kBatchTokens = 512;  // whose activations stay in the caches

Result<Json> read_json(const std::string& folder, const std::string& name) {
  const std::string path = io::join_path(folder, name);
  if (!io::is_file(path)) return Json();
  ATELIER_TRY(const std::string text, io::read_file(path, int64_t{16} << 20));
  return Json::parse(text, path);
}

Result<Pooling> pooling_of_name(const std::string& name, const std::string& file) {
  if (name == "mean") return Pooling::kMean;
  if (name == "cls") return Pooling::kFirst;
  if (name == "lasttoken") return Pooling::kLast;
  return Status::unsupported(file + ": pooling " + quoted(name) + " is not known; known: mean, cls, lasttoken");
}

// {"pooling_mode_mean_tokens": true, …}, or "pooling_mode": "mean" in newer files.
Result<Pooling> read_pooling(const Json& config, const std::string& file) {
  if (const Json* mode = config.find("pooling_mode"); mode != nullptr && mode->is_string()) return pooling_of_name(mode->as_string(), file);
  std::vector<std::string> found;
  constexpr std::string_view kPrefix = "pooling_mode_";
  if (!config.is_object()) return Status::corrupt(file + " is no object");
  for (const auto& [key, value] : config.as_object()) {
    if (!key.starts_with(kPrefix) || !value.is_bool() || !value.as_bool()) continue;
    std::string name = key.substr(kPrefix.size());
    if (name.ends_with("_tokens")) name.resize(name.size() - std::string_view("_tokens").size());
    if (name.ends_with("_token")) name.resize(name.size() - std::string_view("_token").size());
    found.push_back(name);
  }
  if (found.size() == 1) return pooling_of_name(found[0], file);
  return Status::unsupported(file + ": " + std::to_string(found.size()) + " poolings are on, one is needed");
}

Status read_modules(const std::string& folder, const Json& modules, SentenceSettings& settings) {
  if (!modules.is_array()) return Status::corrupt("modules.json is no list");
  for (const Json& module : modules.as_array()) {
    ATELIER_TRY(const std::string type, module.get_string("type"));
    ATELIER_TRY(const std::string path, module.get_string("path", ""));
    const std::string kind = type.substr(type.rfind('.') + 1);
    if (kind == "Transformer") continue;
    if (kind == "Normalize") {
      settings.is_normalized = true;
    } else if (kind == "Pooling") {
      const std::string file = io::join_path(path, "config.json");
      ATELIER_TRY(const Json config, read_json(folder, file));
      ATELIER_TRY(settings.pooling, read_pooling(config, file));
    } else {
      return Status::unsupported("modules.json: module " + quoted(type) + " is not known; known: Transformer, Pooling, Normalize");
    }
  }
  return {};
}

Status read_prompts(const Json& config, SentenceSettings& settings) {
  const Json* prompts = config.find("prompts");
  if (prompts == nullptr || !prompts->is_object()) return {};
  for (const auto& [name, text] : prompts->as_object()) {
    if (!text.is_string()) return Status::corrupt("config_sentence_transformers.json: prompt " + quoted(name) + " is no text");
    settings.prompts[name] = text.as_string();
  }
  const Json* name = config.find("default_prompt_name");
  if (name == nullptr || !name->is_string()) return {};
  const auto found = settings.prompts.find(name->as_string());
  if (found == settings.prompts.end()) {
    return Status::corrupt("config_sentence_transformers.json: default_prompt_name " + quoted(name->as_string()) + " is no prompt");
  }
  settings.prompt = found->second;
  return {};
}

Status read_folder(const std::string& folder, SentenceSettings& settings) {
  ATELIER_TRY(const Json modules, read_json(folder, "modules.json"));
  if (modules.is_null()) return {};
  ATELIER_RETURN_IF_ERROR(read_modules(folder, modules, settings));
  ATELIER_TRY(const Json lengths, read_json(folder, "sentence_bert_config.json"));
  if (const Json* length = lengths.find("max_seq_length"); length != nullptr && length->is_int()) {
    settings.max_length = std::min(settings.max_length, length->as_int());
  }
  ATELIER_TRY(const Json config, read_json(folder, "config_sentence_transformers.json"));
  return read_prompts(config, settings);
}

// llama.cpp's numbers. Its tools normalise.
Status read_metadata(const format::Gguf& file, const std::string& architecture, SentenceSettings& settings) {
  ATELIER_TRY(const int64_t type, file.get_int(architecture + ".pooling_type", 1));
  settings.is_normalized = true;
  if (type < 1 || type > 3) return Status::unsupported("gguf: pooling type " + std::to_string(type) + " is not known; known: 1, 2, 3");
  settings.pooling = type == 1 ? Pooling::kMean : type == 2 ? Pooling::kFirst : Pooling::kLast;
  return {};
}

void normalise(std::span<float> vector) {
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  const double inverse = 1 / std::max(std::sqrt(squares), 1e-12);
  for (float& x : vector) x = static_cast<float>(x * inverse);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Result<SentenceSettings> read_sentence_settings(const Model& model) {
  SentenceSettings settings;
  settings.max_length = model.context();
  if (const format::Gguf* gguf = model.checkpoint().as_gguf()) {
    ATELIER_RETURN_IF_ERROR(read_metadata(*gguf, model.arch().gguf_name, settings));
  } else {
    ATELIER_RETURN_IF_ERROR(read_folder(io::is_directory(model.path()) ? model.path() : io::folder_of(model.path()), settings));
  }
  return settings;
}

Result<SentenceEncoder> SentenceEncoder::create(Model& model, SentenceSettings settings) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  const tokenize::TextFrame frame = tokenizer->frame();
  const auto around = static_cast<int64_t>(frame.before.size() + frame.after.size());
  if (settings.max_length <= around || settings.max_length > model.context()) {
    return Status::invalid("length: " + std::to_string(settings.max_length) + " tokens, must be " + std::to_string(around + 1) + " to " +
                           std::to_string(model.context()));
  }
  return SentenceEncoder(model, *tokenizer, std::move(settings));
}

Result<EncodedText> SentenceEncoder::framed(std::vector<int32_t> ids) const {
  const tokenize::TextFrame frame = tokenizer_->frame();
  EncodedText text;
  text.num_tokens = static_cast<int64_t>(ids.size() + frame.before.size() + frame.after.size());
  text.ids = frame_text(frame, std::move(ids), settings_.max_length).ids;
  if (text.ids.empty()) return Status::invalid("text: an empty one, and this model puts no token around; leave it out");
  return text;
}

Result<EncodedText> SentenceEncoder::tokenize(std::string_view text) const {
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  ATELIER_TRY(std::vector<int32_t> ids, tokenizer_->encode_ids(settings_.prompt + std::string(text), options));
  return framed(std::move(ids));
}

EncodedText SentenceEncoder::cut(std::vector<int32_t> ids) const {
  EncodedText text{std::move(ids)};
  text.num_tokens = static_cast<int64_t>(text.ids.size());
  text.ids.resize(static_cast<size_t>(std::min(text.num_tokens, settings_.max_length)));
  return text;
}

Result<std::vector<std::vector<int32_t>>> SentenceEncoder::tokenize_batch(std::span<const std::string> texts) {
  std::vector<std::string> prompted;
  std::vector<std::string_view> views(texts.begin(), texts.end());
  if (!settings_.prompt.empty()) {
    for (const std::string& text : texts) prompted.push_back(settings_.prompt + text);
    views.assign(prompted.begin(), prompted.end());
  }
  ATELIER_TRY(std::vector<std::vector<int32_t>> all, tokenizer_->encode_batch(views, {.add_special_tokens = false}));
  for (std::vector<int32_t>& ids : all) {
    ATELIER_TRY(EncodedText text, framed(std::move(ids)));
    counts_.cut_texts += text.is_cut();
    ids = std::move(text.ids);
  }
  return all;
}

void SentenceEncoder::pool(std::span<const size_t> batch, std::span<const std::vector<int32_t>> ids, std::span<float> vectors) const {
  const int64_t C = width();
  const float* row = model_->hidden().f32();
  for (const size_t text : batch) {
    const auto rows = static_cast<int64_t>(ids[text].size());
    const std::span<float> vector = vectors.subspan(text * static_cast<size_t>(C), static_cast<size_t>(C));
    if (settings_.pooling == Pooling::kMean) {
      std::fill(vector.begin(), vector.end(), 0.0f);
      for (int64_t t = 0; t < rows; ++t) kernels::add(vector.data(), row + t * C, vector.data(), C);
      kernels::scale(vector.data(), 1 / static_cast<float>(rows), vector.data(), C);
    } else {
      std::copy_n(row + (settings_.pooling == Pooling::kLast ? rows - 1 : 0) * C, C, vector.begin());
    }
    if (settings_.is_normalized) normalise(vector);
    row += rows * C;
  }
}

Status SentenceEncoder::encode(std::span<const std::string> texts, std::span<float> vectors, FunctionRef<bool()> proceed) {
  const auto start = std::chrono::steady_clock::now();
  ATELIER_TRY(const std::vector<std::vector<int32_t>> ids, tokenize_batch(texts));
  counts_.tokenize_s += seconds_since(start);
  return encode_ids(ids, vectors, proceed);
}

Status SentenceEncoder::encode_ids(std::span<const std::vector<int32_t>> ids, std::span<float> vectors, FunctionRef<bool()> proceed) {
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ids[a].size() > ids[b].size(); });
  const auto compute_start = std::chrono::steady_clock::now();
  std::vector<int32_t> packed;
  std::vector<nn::RowRun> runs;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    if (!proceed()) return Status::cancelled("embed: interrupted; run it again");
    packed.clear();
    runs.clear();
    for (; end < order.size() && (end == begin || packed.size() + ids[order[end]].size() <= kBatchTokens); ++end) {
      packed.insert(packed.end(), ids[order[end]].begin(), ids[order[end]].end());
      runs.push_back({nullptr, static_cast<int64_t>(ids[order[end]].size())});
    }
    ATELIER_RETURN_IF_ERROR(model_->run(packed, runs));
    pool(std::span(order).subspan(begin, end - begin), ids, vectors);
  }
  counts_.compute_s += seconds_since(compute_start);
  counts_.texts += static_cast<int64_t>(ids.size());
  for (const std::vector<int32_t>& text : ids) counts_.tokens += static_cast<int64_t>(text.size());
  return {};
}

}  // namespace atelier::models
