#include "atelier/models/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "atelier/io/sha256.h"
#include "atelier/models/weights.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

// Settings that change what an adapter computes, each with what it is, besides the values null, false and empty.
constexpr std::pair<const char*, const char*> kRefused[] = {
    {"use_dora", "DoRA scales whole columns"},
    {"lora_bias", "biases are tuned too"},
    {"modules_to_save", "whole modules were trained"},
    {"trainable_token_indices", "embeddings of single tokens were trained"},
    {"target_parameters", "parameters that are no linear layers were trained"},
    {"layer_replication", "layers occur several times"},
    {"alora_invocation_tokens", "aLoRA acts behind its invocation tokens only"},
    {"use_qalora", "QA-LoRA pools its inputs"},
    {"use_bdlora", "BD-LoRA has block-diagonal matrices"},
    {"arrow_config", "Arrow routes between adapters"},
    {"kasa_config", "KaSA scales singular values"},
};

bool is_off(const Json* value) {
  if (value == nullptr || value->is_null() || *value == Json(false)) return true;
  return (value->is_array() && value->as_array().empty()) || (value->is_object() && value->as_object().empty());
}

struct Config {
  double alpha = 8;
  bool is_rank_stabilized = false;
  std::map<std::string, double> module_alphas;  // last parts of module names
};

Result<Config> read_config(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path, int64_t{1} << 20));
  ATELIER_TRY(const Json json, Json::parse(text, path));
  if (!json.is_object()) return Status::corrupt(fmt::format("{}: must be an object", path));
  ATELIER_TRY(const std::string type, json.get_string("peft_type"));
  if (type != "LORA") return Status::unsupported(fmt::format("adapter: type {}, only LORA can be run; merge it with PEFT first", type));
  for (const auto& [key, reason] : kRefused) {
    if (is_off(json.find(key))) continue;
    return Status::unsupported(fmt::format("adapter: {} is set ({}), which cannot be run; merge it with PEFT first", key, reason));
  }
  ATELIER_TRY(const std::string bias, json.get_string("bias", "none"));
  if (bias != "none") return Status::unsupported(fmt::format("adapter: bias is {}, only none can be run; merge it with PEFT first", bias));
  Config config;
  ATELIER_TRY(config.alpha, json.get_double("lora_alpha", config.alpha));
  ATELIER_TRY(config.is_rank_stabilized, json.get_bool("use_rslora", false));
  if (is_off(json.find("alpha_pattern"))) return config;
  for (const auto& [module, alpha] : json.find("alpha_pattern")->as_object()) {
    if (module.find_first_of("*+?[]()|^$\\{}") != std::string::npos) {
      return Status::unsupported(
          fmt::format("adapter: alpha_pattern {} is a regular expression, want a module's name; write the names out", quoted(module)));
    }
    ATELIER_TRY(config.module_alphas[module], json.find("alpha_pattern")->get_double(module));
  }
  return config;
}

// True when one of two dotted names is the end of the other: checkpoints differ in what stands before.
bool is_same_module(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  return a.ends_with(b) && (a.size() == b.size() || a[a.size() - b.size() - 1] == '.');
}

// A [R, K] and B [N, R] as the file has them.
struct Pair {
  const format::TensorEntry* a = nullptr;
  const format::TensorEntry* b = nullptr;
};

Result<std::map<std::string, Pair>> pairs_of(const format::Checkpoint& file) {
  constexpr std::string_view kPrefix = "base_model.model.", kA = ".lora_A.weight", kB = ".lora_B.weight";
  std::map<std::string, Pair> pairs;
  for (const format::TensorEntry& entry : file.entries()) {
    std::string_view name = entry.name;
    const bool is_a = name.ends_with(kA), is_known = name.starts_with(kPrefix) && (is_a || name.ends_with(kB));
    const bool is_float = entry.dtype == DType::kF32 || entry.dtype == DType::kF16 || entry.dtype == DType::kBF16;
    if (!is_known || !is_float || entry.shape.size() != 2) {
      return Status::unsupported(
          fmt::format("adapter: tensor {} is no float matrix of LoRA, which cannot be run; merge it with PEFT first", quoted(entry.name)));
    }
    name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kA.size());
    (is_a ? pairs[std::string(name)].a : pairs[std::string(name)].b) = &entry;
  }
  for (const auto& [module, pair] : pairs) {
    if (pair.a == nullptr || pair.b == nullptr || pair.a->shape[0] != pair.b->shape[1] || pair.a->shape[0] == 0) {
      return Status::corrupt(fmt::format("adapter: lora_A and lora_B of {} do not fit together; save it again", quoted(module)));
    }
  }
  return pairs;
}

Tensor as_f32(const format::TensorEntry& entry) {
  Tensor out = Tensor::zeros(DType::kF32, Shape(entry.shape));
  quant::to_f32(entry.dtype, entry.data, out.f32(), out.count());
  return out;
}

// From the file's pairs to the additions of a model's linear layers.
class Reader {
 public:
  Reader(const Model& model, const Config& config, const std::map<std::string, Pair>& pairs)
      : model_(model), config_(config), pairs_(pairs) {}

  Result<std::shared_ptr<const nn::Adapter>> read();

 private:
  Result<ops::LowRank> read_low_rank(const std::string& logical, const Tensor& weight);
  Tensor read_b(const format::TensorEntry& b, const Stored& hf, const std::string& logical, int64_t num_rows) const;
  float scale_of(const std::string& module, int64_t rank) const;

  const Model& model_;
  const Config& config_;
  const std::map<std::string, Pair>& pairs_;
  std::set<std::string> used_;  // modules
};

float Reader::scale_of(const std::string& module, int64_t rank) const {
  double alpha = config_.alpha;
  for (const auto& [name, own] : config_.module_alphas) {
    if (module.ends_with(name) && is_same_module(module, name)) alpha = own;
  }
  const auto r = static_cast<double>(rank);
  return static_cast<float>(alpha / (config_.is_rank_stabilized ? std::sqrt(r) : r));
}

// The rows of B that belong to a parameter, in the order of the loaded model's: a part of them where the checkpoint of the architecture
// stores several parameters as one, and in pairs where a GGUF file keeps rotary rows so.
Tensor Reader::read_b(const format::TensorEntry& b, const Stored& hf, const std::string& logical, int64_t num_rows) const {
  const bool is_paired = stored_parameter(model_.arch(), model_.layout(), logical).transform == Transform::kRotaryPairs;
  const Tensor whole = as_f32(b);
  Tensor rows = Tensor::zeros(DType::kF32, {num_rows, whole.dim(1)});
  for (int64_t n = 0; n < num_rows; ++n) {
    const float* from = whole.f32() + stored_row(model_.spec(), hf, num_rows, n) * whole.dim(1);
    std::copy_n(from, whole.dim(1), rows.f32() + (is_paired ? paired_row(n, model_.spec().head_dim) : n) * whole.dim(1));
  }
  return rows;
}

// Nothing where the adapter leaves the layer alone.
Result<ops::LowRank> Reader::read_low_rank(const std::string& logical, const Tensor& weight) {
  const Stored hf = stored_parameter(model_.arch(), Layout::kHuggingFace, logical + ".weight");
  const std::string_view name = std::string_view(hf.name).substr(0, hf.name.rfind('.'));
  const auto found = std::find_if(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return is_same_module(pair.first, name); });
  if (found == pairs_.end()) return ops::LowRank();
  const auto& [module, pair] = *found;
  used_.insert(module);
  const int64_t num_rows = weight.dim(0), num_stored = part_rows(model_.spec(), hf.part, num_rows).total;
  if (pair.a->shape[1] != weight.dim(1) || pair.b->shape[0] != num_stored) {
    return Status::corrupt(fmt::format("adapter: {} maps {} to {} values, the model's layer {} to {}; it belongs to another model",
                                       quoted(module), pair.a->shape[1], pair.b->shape[0], weight.dim(1), num_stored));
  }
  return ops::LowRank{as_f32(*pair.a), read_b(*pair.b, hf, logical + ".weight", num_rows), scale_of(module, pair.a->shape[0])};
}

void add_to(io::Sha256& hash, const ops::LowRank& low_rank) {
  hash.update(&low_rank.scale, sizeof low_rank.scale);
  for (const Tensor* tensor : {&low_rank.a, &low_rank.b}) {
    const std::string shape = *tensor ? tensor->shape().to_string() : "none";
    hash.update(shape.data(), shape.size());
    if (*tensor) hash.update(tensor->data(), static_cast<size_t>(tensor->num_bytes()));
  }
}

Result<std::shared_ptr<const nn::Adapter>> Reader::read() {
  auto adapter = std::make_shared<nn::Adapter>();
  io::Sha256 hash;
  for (const nn::DecoderLayer& weights : model_.decoder().parameters().layers) {
    const auto linears = nn::projections_of(weights);
    const std::string prefix = fmt::format("layers.{}.", adapter->layers.size());
    nn::Adapter::Layer& layer = adapter->layers.emplace_back();
    for (size_t i = 0; i < linears.size(); ++i) {
      if (!linears[i]->weight) continue;
      ATELIER_TRY(layer[i], read_low_rank(prefix + nn::kProjectionNames[i], linears[i]->weight));
      add_to(hash, layer[i]);
    }
  }
  for (const auto& [module, pair] : pairs_) {
    if (used_.contains(module)) continue;
    return Status::unsupported(fmt::format(
        "adapter: {} is no linear layer of this model's blocks, others cannot be adapted; merge it with PEFT first", quoted(module)));
  }
  adapter->digest = hash.hex_digest();
  return std::shared_ptr<const nn::Adapter>(std::move(adapter));
}

}  // namespace

Result<std::shared_ptr<const nn::Adapter>> load_adapter(const Model& model, const std::string& folder) {
  if (!io::is_directory(folder)) {
    return Status::not_found(
        fmt::format("adapter: {}, no such folder; it must hold adapter_config.json and adapter_model.safetensors", quoted(folder)));
  }
  ATELIER_TRY(const Config config, read_config(io::join_path(folder, "adapter_config.json")));
  ATELIER_TRY(const auto file, format::open_checkpoint(io::join_path(folder, "adapter_model.safetensors")));
  ATELIER_TRY(const auto pairs, pairs_of(*file));
  return Reader(model, config, pairs).read();
}

}  // namespace atelier::models
