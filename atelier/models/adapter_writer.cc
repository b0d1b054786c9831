#include "atelier/models/adapter_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "atelier/base/error.h"
#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/format/safetensors_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/models/bottleneck_file.h"
#include "atelier/models/weights.h"
#include "atelier/nn/adapter.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

// A tensor of the file.
struct Saved {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// What one parameter's adapter is and where its rows stand in the module.
struct Piece {
  std::string logical;  // "layers.0.attention.q.weight"
  const nn::LinearAdapter* adapter;
  int64_t num_rows;  // N
  Stored stored;     // in Hugging Face's layout
};

// "transformer.h.0.attn.c_attn" and its pieces.
struct Module {
  std::string name;
  std::vector<Piece> pieces;
};

std::string without_weight(const std::string& name) { return name.substr(0, name.rfind('.')); }

// The last `count` parts of a dotted name.
std::string last_parts(const std::string& name, int count) {
  size_t at = name.size();
  for (int i = 0; i < count && at != std::string::npos && at > 0; ++i) at = name.rfind('.', at - 1);
  return at == std::string::npos ? name : name.substr(at + 1);
}

// The modules in which something learns, in the order of the model.
std::vector<Module> modules_of(const TrainableModel& model, const nn::Adapter& adapter) {
  std::vector<Module> modules;
  std::map<std::string, size_t> index;
  const nn::TransformerParameters weights = model.weights();
  for (size_t i = 0; i < adapter.layers.size(); ++i) {
    const auto linears = nn::projections_of(weights.layers[i]);
    for (size_t p = 0; p < linears.size(); ++p) {
      const nn::LinearAdapter& linear = adapter.layers[i].linears[p];
      if (!linear.low_rank.a && !linear.input_scale && !linear.output_scale) continue;
      const std::string logical = "layers." + std::to_string(i) + "." + nn::kProjectionNames[p] + ".weight";
      Piece piece{logical, &linear, linears[p]->weight.dim(0), stored_parameter(model.arch(), Layout::kHuggingFace, logical)};
      const std::string name = without_weight(piece.stored.name);
      const auto [found, is_new] = index.emplace(name, modules.size());
      if (is_new) modules.push_back({name, {}});
      modules[found->second].pieces.push_back(std::move(piece));
    }
  }
  return modules;
}

class Writer {
 public:
  Writer(TrainableModel& model, const SavedAdapter& options)
      : model_(model), lora_(model.options().lora), options_(options), adapter_(model.adapter()) {
    if (adapter_) modules_ = modules_of(model, *adapter_);
    num_parts_ = parts_that_tell();
  }

  Status save(const std::string& folder) {
    switch (model_.options().kind()) {
      case AdapterKind::kNone:
        return Status::invalid("adapter: all of the model is trained; train it with lora or another adapter");
      case AdapterKind::kLora:
        add_lora();
        return write(folder, lora_config());
      case AdapterKind::kIa3:
        add_scales();
        return write(folder, scales_config());
      case AdapterKind::kPrompt:
        tensors_.push_back(saved("prompt_embeddings", adapter_->prompt));
        return write(folder, virtual_config("PROMPT_TUNING"));
      case AdapterKind::kPrefix:
        add_prefix();
        return write(folder, virtual_config("PREFIX_TUNING"));
      case AdapterKind::kBottleneck:
        for (const BottleneckTensor& tensor : bottleneck_tensors(model_.arch(), *adapter_))
          tensors_.push_back(saved(tensor.name, tensor.value));
        return write(folder, bottleneck_config(model_.arch(), model_.spec(), *adapter_, options_.base_model), "adapter");
      case AdapterKind::kBitFit:
        add_biases();
        return write_tensors(folder, "biases");
    }
    throw InternalError("unknown kind of adapter");
  }

 private:
  static Saved saved(const std::string& name, const Tensor& tensor) {
    Saved out{name, {}, std::vector<float>(tensor.f32(), tensor.f32() + tensor.count())};
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) out.shape.push_back(tensor.dim(axis));
    return out;
  }

  bool has_paired_rows(const std::string& logical) const {
    return stored_parameter(model_.arch(), model_.layout(), logical).transform == Transform::kRotaryPairs;
  }

  int64_t stored_rows(const Piece& piece) const { return part_rows(model_.spec(), piece.stored.part, piece.num_rows).total; }

  // Rows of a piece, in the order of the trained model, to their places among those of the module [rows, columns], from `column` on.
  void place_rows(const Piece& piece, const float* rows, int64_t width, float factor, int64_t column, int64_t columns,
                  std::vector<float>& out) const {
    const bool is_paired = has_paired_rows(piece.logical);
    for (int64_t n = 0; n < piece.num_rows; ++n) {
      const float* from = rows + (is_paired ? paired_row(n, model_.spec().head_dim) : n) * width;
      float* to = out.data() + stored_row(model_.spec(), piece.stored, piece.num_rows, n) * columns + column;
      for (int64_t r = 0; r < width; ++r) to[r] = factor * from[r];
    }
  }

  static int64_t rank_of(const Module& module) {
    int64_t rank = 0;
    for (const Piece& piece : module.pieces) rank += piece.adapter->low_rank.a.dim(0);
    return rank;
  }

  // lora_alpha that gives a module of this rank the scale of its first piece; those of the others are in their B.
  double alpha_of(const Module& module) const {
    const auto rank = static_cast<double>(rank_of(module));
    return static_cast<double>(module.pieces[0].adapter->low_rank.scale) * (lora_.is_rank_stabilized ? std::sqrt(rank) : rank);
  }

  void add_lora() {
    for (const Module& module : modules_) {
      const std::string prefix = "base_model.model." + module.name;
      const int64_t ranks = rank_of(module), rows = stored_rows(module.pieces[0]), K = module.pieces[0].adapter->low_rank.a.dim(1);
      Saved a{prefix + ".lora_A.weight", {ranks, K}, {}}, b{prefix + ".lora_B.weight", {rows, ranks}, std::vector<float>(rows * ranks)};
      Saved magnitude{prefix + ".lora_magnitude_vector", {rows}, std::vector<float>(static_cast<size_t>(rows), 1.0f)};
      int64_t column = 0;
      for (const Piece& piece : module.pieces) {
        const auto& [matrix_a, matrix_b, scale] = piece.adapter->low_rank;
        a.values.insert(a.values.end(), matrix_a.f32(), matrix_a.f32() + matrix_a.count());
        place_rows(piece, matrix_b.f32(), matrix_b.dim(1), scale / module.pieces[0].adapter->low_rank.scale, column, ranks, b.values);
        if (lora_.has_magnitudes) place_rows(piece, piece.adapter->magnitude.f32(), 1, 1, 0, 1, magnitude.values);
        column += matrix_b.dim(1);
      }
      tensors_.push_back(std::move(a));
      tensors_.push_back(std::move(b));
      if (lora_.has_magnitudes) tensors_.push_back(std::move(magnitude));
    }
    add_embedding();
    for (const TrainParameter& parameter : model_.parameters()) {
      const std::string module = whole_module(parameter.name);
      if (module.empty()) continue;
      whole_.insert(module);
      tensors_.push_back(saved("base_model.model." + hf_name(parameter.name), parameter.value));
    }
  }

  // What PEFT calls the module of a parameter that is trained whole: the head of a task with all its layers ("classifier"), the pooler
  // below it, a table. Empty: the parameter is part of an adapter.
  std::string whole_module(const std::string& logical) const {
    if (logical.starts_with("heads.")) return hf_name(logical).substr(0, hf_name(logical).find('.'));
    if (logical.starts_with("pooler.")) return "pooler";
    if (logical != "embedding.weight" && logical != "head.weight") return "";
    return last_parts(without_weight(hf_name(logical)), 1);
  }

  const char* task_type() const {
    switch (model_.spec().head.kind) {
      case nn::HeadKind::kSequence:
      case nn::HeadKind::kChoice:
      case nn::HeadKind::kNextSentence:
        return "SEQ_CLS";
      case nn::HeadKind::kToken:
        return "TOKEN_CLS";
      case nn::HeadKind::kSpan:
        return "QUESTION_ANS";
      case nn::HeadKind::kNone:
        break;
    }
    return "CAUSAL_LM";
  }

  std::string hf_name(const std::string& logical) const { return stored_parameter(model_.arch(), Layout::kHuggingFace, logical).name; }

  void add_embedding() {
    const ops::LowRank& embedding = adapter_->embedding;
    if (!embedding.a) return;
    const std::string module = without_weight(hf_name("embedding.weight"));
    const int64_t V = embedding.a.dim(0), R = embedding.a.dim(1);
    Saved a{"base_model.model." + module + ".lora_embedding_A", {R, V}, std::vector<float>(static_cast<size_t>(R * V))};
    for (int64_t v = 0; v < V; ++v) {
      for (int64_t r = 0; r < R; ++r) a.values[static_cast<size_t>(r * V + v)] = embedding.a.f32()[v * R + r];
    }
    tensors_.push_back(std::move(a));
    tensors_.push_back(saved("base_model.model." + module + ".lora_embedding_B", embedding.b));
    targets_.insert(last_parts(module, 1));
  }

  // As few parts of the modules' names as tell them from all other linear layers of a block.
  int parts_that_tell() const {
    std::map<std::string, std::set<std::string>> by_last;
    for (const char* projection : nn::kProjectionNames) {
      if (!model_.spec().is_gated && std::string_view(projection) == nn::kProjectionNames[static_cast<size_t>(nn::Projection::kGate)])
        continue;
      const std::string name = without_weight(hf_name(std::string("layers.0.") + projection + ".weight"));
      by_last[last_parts(name, 1)].insert(name);
    }
    const bool is_ambiguous = std::any_of(by_last.begin(), by_last.end(), [](const auto& entry) { return entry.second.size() > 1; });
    return is_ambiguous ? 2 : 1;
  }

  // By what a module is named in the configuration: its last parts where all blocks have it alike, else its whole name.
  std::string target_of(const Module& module, const std::function<bool(const Module&, const Module&)>& is_alike) const {
    const std::string last = last_parts(module.name, num_parts_);
    const auto num_alike = std::ranges::count_if(
        modules_, [&](const Module& other) { return last_parts(other.name, num_parts_) == last && is_alike(other, module); });
    return num_alike == model_.spec().num_layers() ? last : module.name;
  }

  static Json names(const std::set<std::string>& names) {
    Json list = Json::array();
    for (const std::string& name : names) list.push_back(name);
    return list;
  }

  Json base_config(const char* type) const {
    Json config = Json::object().set("peft_type", type).set("task_type", task_type()).set("base_model_name_or_path", options_.base_model);
    return config.set("inference_mode", true);
  }

  bool is_transposed() const { return !modules_.empty() && modules_[0].pieces[0].stored.transform == Transform::kTranspose; }

  Json lora_config() {
    Json ranks = Json::object(), alphas = Json::object();
    for (const Module& module : modules_) {
      targets_.insert(target_of(module, [](const Module&, const Module&) { return true; }));
      const std::string alike = target_of(module, [&](const Module& one, const Module& other) {
        return rank_of(one) == rank_of(other) && std::abs(alpha_of(one) - alpha_of(other)) < 1e-6;
      });
      if (rank_of(module) != lora_.rank) ranks.set(alike, rank_of(module));
      if (std::abs(alpha_of(module) - lora_.alpha) > 1e-5) alphas.set(alike, alpha_of(module));
    }
    Json config = base_config("LORA").set("r", lora_.rank).set("lora_alpha", lora_.alpha).set("lora_dropout", lora_.dropout);
    config.set("bias", "none").set("use_rslora", lora_.is_rank_stabilized).set("use_dora", lora_.has_magnitudes);
    config.set("fan_in_fan_out", is_transposed()).set("init_lora_weights", true);
    config.set("modules_to_save", whole_.empty() ? Json() : names(whole_)).set("target_modules", names(targets_));
    return config.set("rank_pattern", std::move(ranks)).set("alpha_pattern", std::move(alphas));
  }

  void add_scales() {
    for (const Module& module : modules_) {
      const Piece& first = module.pieces[0];
      const bool is_of_inputs = static_cast<bool>(first.adapter->input_scale);
      const int64_t count = is_of_inputs ? first.adapter->input_scale.count() : stored_rows(first);
      Saved scale{"base_model.model." + module.name + ".ia3_l", {count, 1}, std::vector<float>(static_cast<size_t>(count), 1.0f)};
      if (is_of_inputs) {
        scale.shape = {1, count};
        scale.values.assign(first.adapter->input_scale.f32(), first.adapter->input_scale.f32() + count);
      } else {
        for (const Piece& piece : module.pieces) place_rows(piece, piece.adapter->output_scale.f32(), 1, 1, 0, 1, scale.values);
      }
      const std::string target = last_parts(module.name, num_parts_);
      targets_.insert(target);
      if (is_of_inputs) feedforward_.insert(target);
      tensors_.push_back(std::move(scale));
    }
  }

  Json scales_config() const {
    Json config = base_config("IA3").set("target_modules", names(targets_)).set("feedforward_modules", names(feedforward_));
    return config.set("fan_in_fan_out", is_transposed()).set("modules_to_save", nullptr).set("init_ia3_weights", true);
  }

  void add_prefix() {
    const nn::TransformerSpec& spec = model_.spec();
    const int64_t P = adapter_->num_virtual, GD = spec.num_kv_heads * spec.head_dim, width = 2 * spec.num_layers() * GD;
    Saved out{"prompt_embeddings", {P, width}, std::vector<float>(static_cast<size_t>(P * width))};
    const bool is_paired = has_paired_rows("layers.0.attention.k.weight");
    for (int64_t i = 0; i < spec.num_layers(); ++i) {
      const nn::LayerAdapter& layer = adapter_->layers[static_cast<size_t>(i)];
      for (int64_t p = 0; p < P; ++p) {
        float* keys = out.values.data() + p * width + 2 * i * GD;
        for (int64_t n = 0; n < GD; ++n) keys[n] = layer.prefix_keys.f32()[p * GD + (is_paired ? paired_row(n, spec.head_dim) : n)];
        std::copy_n(layer.prefix_values.f32() + p * GD, GD, keys + GD);
      }
    }
    tensors_.push_back(std::move(out));
  }

  Json virtual_config(const char* type) const {
    const nn::TransformerSpec& spec = model_.spec();
    const bool is_prefix = model_.options().kind() == AdapterKind::kPrefix;
    Json config = base_config(type).set("num_virtual_tokens", adapter_->num_virtual).set("num_layers", spec.num_layers());
    config.set("token_dim", is_prefix ? spec.num_kv_heads * spec.head_dim : spec.width).set("num_transformer_submodules", 1);
    config.set("num_attention_heads", is_prefix ? spec.num_kv_heads : spec.num_heads);
    if (is_prefix) return config.set("encoder_hidden_size", spec.num_kv_heads * spec.head_dim).set("prefix_projection", false);
    return config.set("prompt_tuning_init", "RANDOM").set("prompt_tuning_init_text", nullptr).set("tokenizer_name_or_path", nullptr);
  }

  void add_biases() {
    std::map<std::string, size_t> index;
    for (const TrainParameter& parameter : model_.parameters()) {
      const Stored stored = stored_parameter(model_.arch(), Layout::kHuggingFace, parameter.name);
      const Piece piece{parameter.name, nullptr, parameter.value.count(), stored};
      const auto [found, is_new] = index.emplace(stored.name, tensors_.size());
      if (is_new) tensors_.push_back({stored.name, {stored_rows(piece)}, std::vector<float>(static_cast<size_t>(stored_rows(piece)))});
      place_rows(piece, parameter.value.f32(), 1, 1, 0, 1, tensors_[found->second].values);
    }
  }

  Status write_tensors(const std::string& folder, const std::string& stem) const {
    std::vector<format::TensorInfo> infos;
    for (const Saved& tensor : tensors_) infos.push_back({tensor.name, options_.type, tensor.shape});
    ATELIER_TRY(const auto writer, format::create_safetensors(folder, infos, {.shard_bytes = INT64_MAX, .stem = stem}));
    for (const Saved& tensor : tensors_) {
      const auto count = static_cast<int64_t>(tensor.values.size());
      std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(options_.type, count)));
      quant::from_f32(options_.type, tensor.values.data(), bytes.data(), count);
      ATELIER_RETURN_IF_ERROR(writer->write(bytes.data(), static_cast<int64_t>(bytes.size())));
    }
    return writer->finish();
  }

  Status write(const std::string& folder, const Json& config, const std::string& stem = "adapter_model") const {
    ATELIER_RETURN_IF_ERROR(write_tensors(folder, stem));
    return io::write_file(io::join_path(folder, "adapter_config.json"), config.dump(2) + "\n");
  }

  TrainableModel& model_;
  const LoraOptions& lora_;
  const SavedAdapter& options_;
  std::shared_ptr<const nn::Adapter> adapter_;
  std::vector<Module> modules_;
  int num_parts_ = 1;
  std::vector<Saved> tensors_;
  std::set<std::string> targets_, feedforward_, whole_;
};

}  // namespace

Status save_adapter(TrainableModel& model, const SavedAdapter& options, const std::string& folder) {
  return Writer(model, options).save(folder);
}

}  // namespace atelier::models
