#include "atelier/models/adapter_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "atelier/base/error.h"
#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/format/safetensors_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/models/weights.h"
#include "atelier/nn/adapter.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

// One parameter's matrices and where its rows stand in the module.
struct Piece {
  std::string logical;  // "layers.0.attention.q.weight"
  Tensor a, b;          // [R, K], [N, R], the rows of B in the order of the trained model
  Stored stored;        // in Hugging Face's layout
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

std::vector<Module> modules_of(TrainableModel& model) {
  constexpr std::string_view kA = ".lora_a", kB = ".lora_b";
  std::vector<Module> modules;
  std::map<std::string, size_t> index;
  std::map<std::string, Tensor> rows;  // A by its parameter, until B comes
  for (const TrainParameter& parameter : model.parameters()) {
    if (parameter.name.ends_with(kA)) rows[parameter.name.substr(0, parameter.name.size() - kA.size())] = parameter.value;
    if (!parameter.name.ends_with(kB)) continue;
    const std::string linear = parameter.name.substr(0, parameter.name.size() - kB.size());
    Piece piece{linear + ".weight", rows.at(linear), parameter.value,
                stored_parameter(model.arch(), Layout::kHuggingFace, linear + ".weight")};
    const std::string name = without_weight(piece.stored.name);
    const auto [found, is_new] = index.emplace(name, modules.size());
    if (is_new) modules.push_back({name, {}});
    modules[found->second].pieces.push_back(std::move(piece));
  }
  return modules;
}

int64_t rank_of(const Module& module) {
  int64_t rank = 0;
  for (const Piece& piece : module.pieces) rank += piece.a.dim(0);
  return rank;
}

std::vector<float> stacked_a(const Module& module) {
  std::vector<float> out;
  for (const Piece& piece : module.pieces) out.insert(out.end(), piece.a.f32(), piece.a.f32() + piece.a.count());
  return out;
}

// B of the whole module [rows, ranks], each piece in its own columns.
std::vector<float> diagonal_b(const TrainableModel& model, const Module& module, int64_t num_rows) {
  const int64_t ranks = rank_of(module);
  std::vector<float> out(static_cast<size_t>(num_rows * ranks));
  int64_t column = 0;
  for (const Piece& piece : module.pieces) {
    const int64_t N = piece.b.dim(0), R = piece.b.dim(1);
    const bool is_paired = stored_parameter(model.arch(), model.layout(), piece.logical).transform == Transform::kRotaryPairs;
    for (int64_t n = 0; n < N; ++n) {
      const float* from = piece.b.f32() + (is_paired ? paired_row(n, model.spec().head_dim) : n) * R;
      std::copy_n(from, R, out.data() + stored_row(model.spec(), piece.stored, N, n) * ranks + column);
    }
    column += R;
  }
  return out;
}

// As few parts of the modules' names as tell them from all other linear layers of a block.
int parts_that_tell(const TrainableModel& model) {
  std::map<std::string, std::set<std::string>> by_last;
  for (const char* projection : nn::kProjectionNames) {
    if (!model.spec().is_gated && std::string_view(projection) == nn::kProjectionNames[static_cast<size_t>(nn::Projection::kGate)])
      continue;
    const std::string name =
        without_weight(stored_parameter(model.arch(), Layout::kHuggingFace, std::string("layers.0.") + projection + ".weight").name);
    by_last[last_parts(name, 1)].insert(name);
  }
  const bool is_ambiguous = std::any_of(by_last.begin(), by_last.end(), [](const auto& entry) { return entry.second.size() > 1; });
  return is_ambiguous ? 2 : 1;
}

Json config_of(TrainableModel& model, const LoraOptions& lora, const SavedAdapter& options, const std::vector<Module>& modules) {
  const int num_parts = parts_that_tell(model);
  std::set<std::string> targets;
  std::map<std::string, size_t> fused;  // by target: parameters in one module
  for (const Module& module : modules) {
    const std::string target = last_parts(module.name, num_parts);
    targets.insert(target);
    if (module.pieces.size() > 1) fused[target] = module.pieces.size();
  }
  Json ranks = Json::object(), alphas = Json::object(), names = Json::array();
  for (const auto& [target, count] : fused) {
    const auto n = static_cast<double>(count);
    ranks.set(target, lora.rank * static_cast<int64_t>(count));
    alphas.set(target, lora.alpha * (lora.is_rank_stabilized ? std::sqrt(n) : n));
  }
  for (const std::string& target : targets) names.push_back(target);
  const bool is_transposed = !modules[0].pieces.empty() && modules[0].pieces[0].stored.transform == Transform::kTranspose;
  Json config = Json::object().set("peft_type", "LORA").set("task_type", "CAUSAL_LM").set("base_model_name_or_path", options.base_model);
  config.set("inference_mode", true).set("r", lora.rank).set("lora_alpha", lora.alpha).set("lora_dropout", lora.dropout);
  config.set("bias", "none").set("use_rslora", lora.is_rank_stabilized).set("use_dora", false).set("fan_in_fan_out", is_transposed);
  config.set("init_lora_weights", true).set("modules_to_save", nullptr).set("target_modules", std::move(names));
  return config.set("rank_pattern", std::move(ranks)).set("alpha_pattern", std::move(alphas));
}

Status write(format::CheckpointWriter& writer, DType type, const std::vector<float>& values) {
  const auto count = static_cast<int64_t>(values.size());
  std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(type, count)));
  quant::from_f32(type, values.data(), bytes.data(), count);
  return writer.write(bytes.data(), static_cast<int64_t>(bytes.size()));
}

}  // namespace

Status save_adapter(TrainableModel& model, const LoraOptions& lora, const SavedAdapter& options, const std::string& folder) {
  const std::vector<Module> modules = modules_of(model);
  if (modules.empty()) return Status::invalid("adapter: the model has no low-rank matrices; train it with lora");
  std::vector<format::TensorInfo> infos;
  for (const Module& module : modules) {
    const Piece& first = module.pieces[0];
    const std::string prefix = "base_model.model." + module.name;
    infos.push_back({prefix + ".lora_A.weight", options.type, {rank_of(module), first.a.dim(1)}});
    infos.push_back(
        {prefix + ".lora_B.weight", options.type, {part_rows(model.spec(), first.stored.part, first.b.dim(0)).total, rank_of(module)}});
  }
  ATELIER_TRY(const auto writer, format::create_safetensors(folder, infos, {.shard_bytes = INT64_MAX, .stem = "adapter_model"}));
  for (size_t i = 0; i < modules.size(); ++i) {
    ATELIER_RETURN_IF_ERROR(write(*writer, options.type, stacked_a(modules[i])));
    ATELIER_RETURN_IF_ERROR(write(*writer, options.type, diagonal_b(model, modules[i], infos[2 * i + 1].shape[0])));
  }
  ATELIER_RETURN_IF_ERROR(writer->finish());
  return io::write_file(io::join_path(folder, "adapter_config.json"), config_of(model, lora, options, modules).dump(2) + "\n");
}

}  // namespace atelier::models
