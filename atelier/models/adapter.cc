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
#include "atelier/models/adapter_options.h"
#include "atelier/models/bottleneck_file.h"
#include "atelier/models/learned_adapter.h"
#include "atelier/models/weights.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

// Settings that change what an adapter computes, each with what it is, besides the values null, false and empty.
constexpr std::pair<const char*, const char*> kRefused[] = {
    {"lora_bias", "biases are tuned too"},
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
  std::string type;
  double alpha = 8;
  bool is_rank_stabilized = false;
  ModulePatterns alphas;
  int64_t num_virtual = 0;
};

Result<Config> read_lora_config(const Json& json) {
  Config config;
  for (const auto& [key, reason] : kRefused) {
    if (is_off(json.find(key))) continue;
    return Status::unsupported(fmt::format("adapter: {} is set ({}), which cannot be run; merge it with PEFT first", key, reason));
  }
  ATELIER_TRY(const std::string bias, json.get_string("bias", "none"));
  if (bias != "none") return Status::unsupported(fmt::format("adapter: bias is {}, only none can be run; merge it with PEFT first", bias));
  ATELIER_TRY(config.alpha, json.get_double("lora_alpha", config.alpha));
  ATELIER_TRY(config.is_rank_stabilized, json.get_bool("use_rslora", false));
  if (is_off(json.find("alpha_pattern"))) return config;
  for (const auto& [module, alpha] : json.find("alpha_pattern")->as_object()) {
    ATELIER_TRY(const double value, json.find("alpha_pattern")->get_double(module));
    config.alphas.emplace_back(module, value);
  }
  return config;
}

Result<Json> read_json(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path, int64_t{1} << 20));
  ATELIER_TRY(Json json, Json::parse(text, path));
  if (!json.is_object()) return Status::corrupt(fmt::format("{}: must be an object", path));
  return json;
}

Result<Config> read_config(const Json& json) {
  ATELIER_TRY(const std::string type, json.get_string("peft_type"));
  Config config;
  if (type == "LORA") {
    ATELIER_TRY(config, read_lora_config(json));
  } else if (type == "PROMPT_TUNING" || type == "PREFIX_TUNING") {
    ATELIER_TRY(config.num_virtual, json.get_int("num_virtual_tokens"));
    if (config.num_virtual < 1 || config.num_virtual > 1 << 20) {
      return Status::corrupt(fmt::format("adapter: {} virtual tokens, must be 1 to {}", config.num_virtual, 1 << 20));
    }
  } else if (type != "IA3") {
    return Status::unsupported(fmt::format(
        "adapter: type {}, those that can be run are LORA, IA3, PROMPT_TUNING and PREFIX_TUNING; merge it with PEFT first", type));
  }
  config.type = type;
  return config;
}

// True when one of two dotted names is the end of the other: checkpoints differ in what stands before.
bool is_same_module(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  return a.ends_with(b) && (a.size() == b.size() || a[a.size() - b.size() - 1] == '.');
}

// What a file has of one module, as it has it.
struct ModuleTensors {
  const format::TensorEntry* a = nullptr;          // [R, K]; of an embedding [R, V]
  const format::TensorEntry* b = nullptr;          // [N, R]; of an embedding [C, R]
  const format::TensorEntry* magnitude = nullptr;  // [N]
  const format::TensorEntry* scale = nullptr;      // [N, 1], or [1, K] of inputs
  const format::TensorEntry* whole = nullptr;      // the module's own weight
};
using Modules = std::map<std::string, ModuleTensors>;

constexpr std::pair<std::string_view, const format::TensorEntry * ModuleTensors::*> kEndings[] = {
    {".lora_A.weight", &ModuleTensors::a},
    {".lora_B.weight", &ModuleTensors::b},
    {".lora_embedding_A", &ModuleTensors::a},
    {".lora_embedding_B", &ModuleTensors::b},
    {".lora_magnitude_vector", &ModuleTensors::magnitude},
    {".lora_magnitude_vector.weight", &ModuleTensors::magnitude},
    {".ia3_l", &ModuleTensors::scale},
    {".weight", &ModuleTensors::whole},
};

bool is_float(const format::TensorEntry& entry) {
  return entry.dtype == DType::kF32 || entry.dtype == DType::kF16 || entry.dtype == DType::kBF16;
}

Result<Modules> modules_of(const format::Checkpoint& file) {
  constexpr std::string_view kPrefix = "base_model.model.";
  Modules modules;
  for (const format::TensorEntry& entry : file.entries()) {
    const std::string_view name = entry.name;
    const auto ending = std::ranges::find_if(kEndings, [&](const auto& known) { return name.ends_with(known.first); });
    if (!name.starts_with(kPrefix) || ending == std::end(kEndings) || !is_float(entry)) {
      return Status::unsupported(
          fmt::format("adapter: tensor {} is none of LoRA's or (IA)^3's, which cannot be run; merge it with PEFT first", quoted(name)));
    }
    const std::string module(name.substr(kPrefix.size(), name.size() - kPrefix.size() - ending->first.size()));
    modules[module].*(ending->second) = &entry;
  }
  for (const auto& [module, tensors] : modules) {
    const auto *a = tensors.a, *b = tensors.b;
    if ((a == nullptr) != (b == nullptr) || (tensors.magnitude != nullptr && a == nullptr) ||
        (a != nullptr && (a->shape.size() != 2 || b->shape.size() != 2 || a->shape[0] != b->shape[1] || a->shape[0] == 0))) {
      return Status::corrupt(fmt::format("adapter: lora_A and lora_B of {} do not fit together; save it again", quoted(module)));
    }
  }
  return modules;
}

Tensor as_f32(const format::TensorEntry& entry) {
  Tensor out = Tensor::zeros(DType::kF32, Shape(entry.shape));
  quant::to_f32(entry.dtype, entry.data, out.f32(), out.count());
  return out;
}

int64_t count_of(const format::TensorEntry& entry) {
  int64_t count = 1;
  for (const int64_t dim : entry.shape) count *= dim;
  return count;
}

// From a file's tensors to what they change in a model, rows in its order.
class Reader {
 public:
  Reader(const Model& model, Config config) : model_(model), config_(std::move(config)) {
    adapter_->layers.resize(model.transformer().parameters().layers.size());
  }

  Result<std::shared_ptr<const nn::Adapter>> read(const format::Checkpoint& file);
  // The same of AdapterHub's layout.
  Result<std::shared_ptr<const nn::Adapter>> read_bottlenecks(const Json& json, const format::Checkpoint& file);
  // The same of biases, which the file has as a checkpoint would.
  Result<std::shared_ptr<const nn::Adapter>> read_biases(const format::Checkpoint& file);

 private:
  std::shared_ptr<const nn::Adapter> finish();  // what was read, with its digest
  Status read_modules(const Modules& modules);
  Status read_linear(const Modules& modules, const std::string& logical, nn::Projection projection, const Tensor& weight,
                     nn::LinearAdapter& out);
  Status read_table(const std::string& module, const ModuleTensors& tensors);
  Status read_virtual(const format::Checkpoint& file);
  Status read_bias(const format::TensorEntry& entry, const std::string& logical, const Stored& hf, const Tensor& own, Tensor& out) const;
  Tensor read_rows(const format::TensorEntry& entry, const Stored& hf, const std::string& logical, int64_t num_rows, int64_t columns) const;
  Result<float> scale_of(const std::string& module, int64_t rank) const;
  bool has_paired_rows(const std::string& logical) const {
    return stored_parameter(model_.arch(), model_.layout(), logical).transform == Transform::kRotaryPairs;
  }
  std::string hf_module(const std::string& logical) const {
    const std::string name = stored_parameter(model_.arch(), Layout::kHuggingFace, logical + ".weight").name;
    return name.substr(0, name.rfind('.'));
  }

  const Model& model_;
  Config config_;
  std::shared_ptr<nn::Adapter> adapter_ = std::make_shared<nn::Adapter>();
  std::set<std::string> used_;  // modules
};

Result<float> Reader::scale_of(const std::string& module, int64_t rank) const {
  ATELIER_TRY(const double alpha, pattern_value(config_.alphas, module, config_.alpha));
  const auto r = static_cast<double>(rank);
  return static_cast<float>(alpha / (config_.is_rank_stabilized ? std::sqrt(r) : r));
}

// The rows that belong to a parameter, in the order of the loaded model's: a part of them where the checkpoint of the architecture stores
// several parameters as one, and in pairs where a GGUF file keeps rotary rows so.
Tensor Reader::read_rows(const format::TensorEntry& entry, const Stored& hf, const std::string& logical, int64_t num_rows,
                         int64_t columns) const {
  const bool is_paired = has_paired_rows(logical);
  const Tensor whole = as_f32(entry);
  Tensor rows = Tensor::zeros(DType::kF32, {num_rows, columns});
  for (int64_t n = 0; n < num_rows; ++n) {
    const float* from = whole.f32() + stored_row(model_.spec(), hf, num_rows, n) * columns;
    std::copy_n(from, columns, rows.f32() + (is_paired ? paired_row(n, model_.spec().head_dim) : n) * columns);
  }
  return rows;
}

// Nothing where the adapter leaves the layer alone.
Status Reader::read_linear(const Modules& modules, const std::string& logical, nn::Projection projection, const Tensor& weight,
                           nn::LinearAdapter& out) {
  const Stored hf = stored_parameter(model_.arch(), Layout::kHuggingFace, logical + ".weight");
  const std::string name = hf_module(logical);
  const auto found = std::ranges::find_if(modules, [&](const auto& entry) { return is_same_module(entry.first, name); });
  if (found == modules.end()) return {};
  const auto& [module, tensors] = *found;
  used_.insert(module);
  const int64_t N = weight.dim(0), K = weight.dim(1), num_stored = part_rows(model_.spec(), hf.part, N).total;
  const auto misfit = [&](int64_t inputs, int64_t outputs) {
    return Status::corrupt(fmt::format("adapter: {} maps {} to {} values, the model's layer {} to {}; it belongs to another model",
                                       quoted(module), inputs, outputs, K, num_stored));
  };
  if (tensors.whole != nullptr) {
    return Status::unsupported(
        fmt::format("adapter: {} was trained whole, only embeddings and heads can be; merge it with PEFT first", quoted(module)));
  }
  if (tensors.a != nullptr) {
    if (tensors.a->shape[1] != K || tensors.b->shape[0] != num_stored) return misfit(tensors.a->shape[1], tensors.b->shape[0]);
    const int64_t rank = tensors.a->shape[0];
    ATELIER_TRY(const float scale, scale_of(module, rank));
    out.low_rank = {as_f32(*tensors.a), read_rows(*tensors.b, hf, logical + ".weight", N, rank), scale};
  }
  if (tensors.magnitude != nullptr) {
    if (count_of(*tensors.magnitude) != num_stored) return misfit(K, count_of(*tensors.magnitude));
    out.magnitude = read_rows(*tensors.magnitude, hf, logical + ".weight", N, 1).reshaped({N});
  }
  if (tensors.scale == nullptr) return {};
  const bool is_of_inputs = tensors.scale->shape.size() == 2 && tensors.scale->shape[0] == 1;
  const bool has_own_input = projection == nn::Projection::kO || projection == nn::Projection::kDown;
  if (is_of_inputs && !has_own_input) {
    return Status::unsupported(fmt::format("adapter: {} scales its inputs, only o and down can; merge it with PEFT first", quoted(module)));
  }
  if (count_of(*tensors.scale) != (is_of_inputs ? K : num_stored)) return misfit(count_of(*tensors.scale), count_of(*tensors.scale));
  if (is_of_inputs) {
    out.input_scale = as_f32(*tensors.scale).reshaped({K});
  } else {
    out.output_scale = read_rows(*tensors.scale, hf, logical + ".weight", N, 1).reshaped({N});
  }
  return {};
}

// The embedding or the head.
Status Reader::read_table(const std::string& module, const ModuleTensors& tensors) {
  const bool is_embedding = is_same_module(module, hf_module("embedding")), is_head = is_same_module(module, "lm_head");
  const int64_t V = model_.spec().vocab_size, C = model_.spec().width;
  const bool is_whole = tensors.whole != nullptr && tensors.a == nullptr;
  if (!(is_whole && (is_embedding || is_head)) && !(is_embedding && tensors.a != nullptr && tensors.magnitude == nullptr)) {
    return Status::unsupported(fmt::format(
        "adapter: {} is no linear layer of this model's blocks, others cannot be adapted; merge it with PEFT first", quoted(module)));
  }
  const auto fits = [](const format::TensorEntry& entry, int64_t rows, int64_t columns) {
    return entry.shape == std::vector<int64_t>{rows, columns};
  };
  const bool is_fit =
      is_whole ? fits(*tensors.whole, V, C) : fits(*tensors.a, tensors.a->shape[0], V) && fits(*tensors.b, C, tensors.a->shape[0]);
  if (!is_fit) {
    return Status::corrupt(
        fmt::format("adapter: {} is not of {} tokens and {} values as the model's; it belongs to another model", quoted(module), V, C));
  }
  if (is_whole) {
    (is_embedding ? adapter_->table : adapter_->head) = as_f32(*tensors.whole);
    return {};
  }
  const int64_t rank = tensors.a->shape[0];
  const Tensor stored = as_f32(*tensors.a);
  adapter_->embedding.a = Tensor::zeros(DType::kF32, {V, rank});
  for (int64_t r = 0; r < rank; ++r) {
    for (int64_t v = 0; v < V; ++v) adapter_->embedding.a.f32()[v * rank + r] = stored.f32()[r * V + v];
  }
  adapter_->embedding.b = as_f32(*tensors.b);
  ATELIER_TRY(adapter_->embedding.scale, scale_of(module, rank));
  return {};
}

Status Reader::read_modules(const Modules& modules) {
  const auto& layers = model_.transformer().parameters().layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto linears = nn::projections_of(layers[i]);
    for (size_t p = 0; p < linears.size(); ++p) {
      if (!linears[p]->weight) continue;
      const std::string logical = fmt::format("layers.{}.{}", i, nn::kProjectionNames[p]);
      ATELIER_RETURN_IF_ERROR(
          read_linear(modules, logical, static_cast<nn::Projection>(p), linears[p]->weight, adapter_->layers[i].linears[p]));
    }
  }
  for (const auto& [module, tensors] : modules) {
    if (!used_.contains(module)) ATELIER_RETURN_IF_ERROR(read_table(module, tensors));
  }
  compute_gains(model_.transformer().parameters(), *adapter_);
  return {};
}

// prompt_embeddings: [P, C], or [P, (layer, keys and values, G, D)].
Status Reader::read_virtual(const format::Checkpoint& file) {
  const nn::TransformerSpec& spec = model_.spec();
  const bool is_prefix = config_.type == "PREFIX_TUNING";
  const int64_t P = config_.num_virtual, GD = spec.num_kv_heads * spec.head_dim, L = spec.num_layers();
  const int64_t width = is_prefix ? 2 * L * GD : spec.width;
  const format::TensorEntry* entry = file.find("prompt_embeddings");
  if (entry == nullptr || !is_float(*entry) || entry->shape != std::vector<int64_t>{P, width}) {
    return Status::corrupt(fmt::format(
        "adapter: prompt_embeddings must be {} virtual tokens of {} values for this model; it belongs to another one", P, width));
  }
  adapter_->num_virtual = P;
  const Tensor whole = as_f32(*entry);
  if (!is_prefix) {
    adapter_->prompt = whole;
    return {};
  }
  const bool is_paired = has_paired_rows("layers.0.attention.k.weight");
  for (int64_t i = 0; i < L; ++i) {
    nn::LayerAdapter& layer = adapter_->layers[static_cast<size_t>(i)];
    layer.prefix_keys = Tensor::zeros(DType::kF32, {P, GD});
    layer.prefix_values = Tensor::zeros(DType::kF32, {P, GD});
    for (int64_t p = 0; p < P; ++p) {
      const float* keys = whole.f32() + p * width + 2 * i * GD;
      for (int64_t n = 0; n < GD; ++n) layer.prefix_keys.f32()[p * GD + (is_paired ? paired_row(n, spec.head_dim) : n)] = keys[n];
      std::copy_n(keys + GD, GD, layer.prefix_values.f32() + p * GD);
    }
  }
  return {};
}

// `out` becomes what the file's bias is above the model's `own` [N].
Status Reader::read_bias(const format::TensorEntry& entry, const std::string& logical, const Stored& hf, const Tensor& own,
                         Tensor& out) const {
  if (!logical.starts_with("layers.") && logical != "embedding_norm.bias" && logical != "final_norm.bias") {
    return Status::unsupported(
        fmt::format("adapter: {} is a head's, only biases of the blocks and their norms can be added; use the run's model", entry.name));
  }
  const int64_t N = own.dim(0), num_stored = part_rows(model_.spec(), hf.part, N).total;
  if (!is_float(entry) || entry.shape != std::vector<int64_t>{num_stored}) {
    return Status::corrupt(fmt::format("adapter: {} must be {} numbers for this model; it belongs to another one", entry.name, num_stored));
  }
  out = read_rows(entry, hf, logical, N, 1).reshaped({N});
  for (int64_t n = 0; n < N; ++n) out.f32()[n] -= own.f32()[n];
  return {};
}

std::string digest_of(const nn::TransformerSpec& spec, nn::Adapter& adapter) {
  io::Sha256 hash;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    const std::string head = name + tensor.shape().to_string();
    hash.update(head.data(), head.size());
    hash.update(tensor.data(), static_cast<size_t>(tensor.num_bytes()));
  };
  nn::visit_adapter(adapter, [&](const std::string& name, Tensor& tensor) { add(name, tensor); });
  if (!adapter.biases.layers.empty()) {
    nn::visit_parameters(spec, adapter.biases, [&](const nn::ParameterInfo& info, Tensor& tensor) {
      if (tensor) add(info.name, tensor);
    });
  }
  if (adapter.table) add("table", adapter.table);
  if (adapter.head) add("head", adapter.head);
  std::vector<float> scales = {adapter.embedding.scale};
  for (const nn::LayerAdapter& layer : adapter.layers) {
    for (const nn::LinearAdapter& linear : layer.linears) scales.push_back(linear.low_rank.scale);
    for (const nn::Bottleneck* bottleneck : {&layer.attention, &layer.mlp}) {
      scales.insert(scales.end(),
                    {bottleneck->scale, static_cast<float>(bottleneck->activation), bottleneck->reads_residual ? 1.0f : 0.0f});
    }
  }
  hash.update(scales.data(), scales.size() * sizeof(float));
  return hash.hex_digest();
}

std::shared_ptr<const nn::Adapter> Reader::finish() {
  adapter_->digest = digest_of(model_.spec(), *adapter_);
  return std::shared_ptr<const nn::Adapter>(std::move(adapter_));
}

Result<std::shared_ptr<const nn::Adapter>> Reader::read(const format::Checkpoint& file) {
  if (config_.num_virtual > 0) {
    ATELIER_RETURN_IF_ERROR(read_virtual(file));
  } else {
    ATELIER_TRY(const Modules modules, modules_of(file));
    ATELIER_RETURN_IF_ERROR(read_modules(modules));
  }
  return finish();
}

Result<std::shared_ptr<const nn::Adapter>> Reader::read_bottlenecks(const Json& json, const format::Checkpoint& file) {
  ATELIER_RETURN_IF_ERROR(models::read_bottlenecks(model_.arch(), model_.spec(), json, file, *adapter_));
  return finish();
}

Result<std::shared_ptr<const nn::Adapter>> Reader::read_biases(const format::Checkpoint& file) {
  std::map<std::string, Tensor> own;
  nn::TransformerParameters parameters = model_.transformer().parameters();  // views
  nn::visit_parameters(model_.spec(), parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (info.name.ends_with(".bias")) own[info.name] = tensor;
  });
  Status status;
  std::set<const format::TensorEntry*> used;
  nn::visit_parameters(model_.spec(), adapter_->biases, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (!status.ok() || !own.contains(info.name)) return;
    const Stored hf = stored_parameter(model_.arch(), Layout::kHuggingFace, info.name);
    const format::TensorEntry* entry = find_tensor(file, hf.name);
    if (entry == nullptr) return;
    used.insert(entry);
    status = read_bias(*entry, info.name, hf, own[info.name], tensor);
  });
  ATELIER_RETURN_IF_ERROR(status);
  for (const format::TensorEntry& entry : file.entries()) {
    if (!used.contains(&entry)) {
      return Status::corrupt(fmt::format("adapter: {} is no bias of this model; it belongs to another one", quoted(entry.name)));
    }
  }
  return finish();
}

}  // namespace

Result<std::shared_ptr<const nn::Adapter>> load_adapter(const Model& model, const std::string& folder) {
  if (!io::is_directory(folder)) {
    return Status::not_found(
        fmt::format("adapter: {}, no such folder; it must hold adapter_config.json and adapter_model.safetensors", quoted(folder)));
  }
  const std::string inner = io::join_path(folder, "adapter");  // of a training run
  const auto holds = [](const std::string& place, const char* name) { return io::is_file(io::join_path(place, name)); };
  const std::string place = holds(inner, "adapter_config.json") || holds(inner, "biases.safetensors") ? inner : folder;
  if (holds(place, "biases.safetensors") && !holds(place, "adapter_config.json")) {
    ATELIER_TRY(const auto file, format::open_checkpoint(io::join_path(place, "biases.safetensors")));
    return Reader(model, {}).read_biases(*file);
  }
  ATELIER_TRY(const Json json, read_json(io::join_path(place, "adapter_config.json")));
  if (json.contains("config") && !json.contains("peft_type")) {
    ATELIER_TRY(const auto file, format::open_checkpoint(io::join_path(place, "adapter.safetensors")));
    return Reader(model, {}).read_bottlenecks(json, *file);
  }
  ATELIER_TRY(const Config config, read_config(json));
  ATELIER_TRY(const auto file, format::open_checkpoint(io::join_path(place, "adapter_model.safetensors")));
  return Reader(model, config).read(*file);
}

}  // namespace atelier::models
