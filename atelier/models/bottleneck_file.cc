#include "atelier/models/bottleneck_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

constexpr const char* kName = "atelier";  // of adapters that are written

constexpr std::pair<const char*, kernels::Activation> kActivations[] = {{"relu", kernels::Activation::kRelu},
                                                                        {"swish", kernels::Activation::kSilu},
                                                                        {"silu", kernels::Activation::kSilu},
                                                                        {"gelu", kernels::Activation::kGelu},
                                                                        {"gelu_new", kernels::Activation::kGeluTanh}};

// Settings that must have one value.
constexpr std::pair<const char*, bool> kFixed[] = {
    {"is_parallel", false},   {"phm_layer", false},         {"use_gating", false},
    {"ln_before", false},     {"ln_after", false},          {"adapter_residual_before_ln", false},
    {"cross_adapter", false}, {"residual_before_ln", true}, {"original_ln_after", true}};

// "model.layers.3"
std::string block_name(const ArchDef& arch, size_t layer) {
  const std::string number = std::to_string(layer);
  const std::string q = stored_parameter(arch, Layout::kHuggingFace, "layers." + number + ".attention.q.weight").name;
  return q.substr(0, q.find("." + number + ".") + 1 + number.size());
}

struct Place {
  const char* name;
  nn::Bottleneck nn::LayerAdapter::*bottleneck;
};
constexpr Place kPlaces[] = {{"attention_adapters", &nn::LayerAdapter::attention}, {"output_adapters", &nn::LayerAdapter::mlp}};

struct TensorPart {
  const char* name;
  Tensor nn::Bottleneck::*tensor;
};
constexpr TensorPart kParts[] = {{"adapter_down.0.weight", &nn::Bottleneck::down},
                                 {"adapter_down.0.bias", &nn::Bottleneck::down_bias},
                                 {"adapter_up.weight", &nn::Bottleneck::up},
                                 {"adapter_up.bias", &nn::Bottleneck::up_bias}};

// What all bottlenecks of a file share.
Result<nn::Bottleneck> read_settings(const Json& config) {
  const auto refused = [](const std::string& key, const std::string& value) {
    return Status::unsupported(
        fmt::format("adapter: {} is {}, which bottlenecks here cannot be; seq_bn and double_seq_bn can", key, value));
  };
  for (const auto& [key, wanted] : kFixed) {
    const Json* value = config.find(key);
    if (value != nullptr && !(*value == Json(wanted))) return refused(key, value->dump());
  }
  if (const Json* inverse = config.find("inv_adapter"); inverse != nullptr && !inverse->is_null())
    return refused("inv_adapter", inverse->dump());
  nn::Bottleneck settings;
  ATELIER_TRY(const double scale, config.get_double("scaling", 1));
  settings.scale = static_cast<float>(scale);
  ATELIER_TRY(settings.reads_residual, config.get_bool("original_ln_before", false));
  ATELIER_TRY(const std::string name, config.get_string("non_linearity", "relu"));
  const auto known = std::ranges::find_if(kActivations, [&](const auto& entry) { return name == entry.first; });
  if (known == std::end(kActivations)) return refused("non_linearity", name);
  settings.activation = known->second;
  return settings;
}

Status check_shapes(const nn::Bottleneck& bottleneck, int64_t C, const std::string& where) {
  const int64_t R = bottleneck.down && bottleneck.down.shape().rank() == 2 ? bottleneck.down.dim(0) : 0;
  const bool is_fit = R > 0 && bottleneck.down.shape() == Shape{R, C} && bottleneck.down_bias.shape() == Shape{R} &&
                      bottleneck.up.shape() == Shape{C, R} && bottleneck.up_bias.shape() == Shape{C};
  if (is_fit) return {};
  return Status::corrupt(fmt::format("adapter: {} does not fit a model of width {}; it belongs to another model", where, C));
}

// A number whose floor division of C gives R as Python forms it: C / R where that is whole, else well inside the range.
double reduction_factor(int64_t C, int64_t R) { return static_cast<double>(C) / (static_cast<double>(R) + (C % R == 0 ? 0.0 : 0.5)); }

}  // namespace

Status read_bottlenecks(const ArchDef& arch, const nn::TransformerSpec& spec, const Json& config, const format::Checkpoint& file,
                        nn::Adapter& adapter) {
  if (spec.norm_placement != nn::NormPlacement::kPre) {
    return Status::unsupported("adapter: bottlenecks need blocks with one norm before each sublayer; this architecture has others");
  }
  if (!config.find("config")->is_object()) return Status::unsupported("adapter: config must hold the settings of a bottleneck adapter");
  ATELIER_TRY(const nn::Bottleneck settings, read_settings(*config.find("config")));
  ATELIER_TRY(const std::string name, config.get_string("name"));
  size_t num_read = 0;
  for (size_t i = 0; i < adapter.layers.size(); ++i) {
    for (const Place& place : kPlaces) {
      nn::Bottleneck bottleneck = settings;
      const std::string where = fmt::format("{}.{}.adapters.{}", block_name(arch, i), place.name, name);
      size_t num_parts = 0;
      for (const TensorPart& part : kParts) {
        const format::TensorEntry* entry = file.find(where + "." + part.name);
        if (entry == nullptr || (entry->dtype != DType::kF32 && entry->dtype != DType::kF16 && entry->dtype != DType::kBF16)) continue;
        ++num_parts;
        if (entry->shape.size() > 2) return Status::corrupt(fmt::format("adapter: {} is no matrix; save it again", quoted(entry->name)));
        Tensor tensor = Tensor::zeros(DType::kF32, Shape(entry->shape));
        quant::to_f32(entry->dtype, entry->data, tensor.f32(), tensor.count());
        bottleneck.*(part.tensor) = tensor;
      }
      if (num_parts == 0) continue;
      if (num_parts != std::size(kParts)) return Status::corrupt(fmt::format("adapter: parts of {} are missing; save it again", where));
      ATELIER_RETURN_IF_ERROR(check_shapes(bottleneck, spec.width, where));
      num_read += num_parts;
      adapter.layers[i].*(place.bottleneck) = std::move(bottleneck);
    }
  }
  if (num_read == 0 || num_read != file.entries().size()) {
    return Status::unsupported(
        fmt::format("adapter: {} of its {} tensors are bottlenecks of this model; it belongs to another model or kind", num_read,
                    file.entries().size()));
  }
  return {};
}

Json bottleneck_config(const ArchDef& arch, const nn::TransformerSpec& spec, const nn::Adapter& adapter, const std::string& base_model) {
  const bool is_double = static_cast<bool>(adapter.layers[0].attention.down);
  const nn::Bottleneck& first = adapter.layers[0].mlp;
  const auto* known = std::ranges::find_if(kActivations, [&](const auto& entry) { return entry.second == first.activation; });
  Json config = Json::object().set("mh_adapter", is_double).set("output_adapter", true).set("non_linearity", known->first);
  for (const auto& [key, value] : kFixed) config.set(key, value);
  config.set("original_ln_before", first.reads_residual).set("scaling", static_cast<double>(first.scale));
  config.set("reduction_factor", reduction_factor(spec.width, first.down.dim(0)));
  config.set("leave_out", Json::array()).set("dropout", 0.0).set("init_weights", "bert").set("inv_adapter", nullptr);
  config.set("inv_adapter_reduction_factor", nullptr).set("stochastic_depth", 0.0).set("init_weights_seed", nullptr);
  std::string type = arch.name;
  return Json::object()
      .set("config", std::move(config))
      .set("hidden_size", spec.width)
      .set("model_class", arch.hf_classes[0])
      .set("model_name", base_model)
      .set("model_type", type)
      .set("name", kName)
      .set("version", "adapters.1.3.0");
}

std::vector<BottleneckTensor> bottleneck_tensors(const ArchDef& arch, const nn::Adapter& adapter) {
  std::vector<BottleneckTensor> out;
  for (size_t i = 0; i < adapter.layers.size(); ++i) {
    for (const Place& place : kPlaces) {
      const nn::Bottleneck& bottleneck = adapter.layers[i].*(place.bottleneck);
      if (!bottleneck.down) continue;
      for (const TensorPart& part : kParts) {
        out.push_back({fmt::format("{}.{}.adapters.{}.{}", block_name(arch, i), place.name, kName, part.name), bottleneck.*(part.tensor)});
      }
    }
  }
  return out;
}

}  // namespace atelier::models
