// `atelier inspect MODEL`: what a model is, from its files.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <ostream>

#include "atelier/base/error.h"
#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/model_options.h"
#include "atelier/format/gguf.h"

namespace atelier::cli {
namespace {

struct InspectArgs {
  ModelOptions model;
  bool shows_tensors = false, shows_metadata = false, shows_template = false;
};

struct TypeTotal {
  int64_t tensors = 0, weights = 0, bytes = 0;
};

std::map<std::string, TypeTotal> totals_by_type(const format::Checkpoint& checkpoint) {
  std::map<std::string, TypeTotal> totals;
  for (const format::TensorEntry& entry : checkpoint.entries()) {
    TypeTotal& total = totals[dtype_name(entry.dtype)];
    ++total.tensors;
    total.weights += entry.count();
    total.bytes += entry.bytes;
  }
  return totals;
}

int64_t num_weights(const format::Checkpoint& checkpoint) {
  int64_t count = 0;
  for (const format::TensorEntry& entry : checkpoint.entries()) count += entry.count();
  return count;
}

const char* position_name(nn::PositionKind kind) {
  switch (kind) {
    case nn::PositionKind::kRotary:
      return "rotary";
    case nn::PositionKind::kLearned:
      return "learned";
    case nn::PositionKind::kAlibi:
      return "ALiBi";
    case nn::PositionKind::kSinusoidal:
      return "sinusoidal";
    case nn::PositionKind::kRelative:
      return "relative";
  }
  throw InternalError("position_name: unknown kind");
}

int64_t num_windowed_layers(const nn::TransformerSpec& spec) {
  int64_t count = 0;
  for (const nn::LayerSpec& layer : spec.layers) count += layer.window > 0;
  return count;
}

Json spec_json(const nn::TransformerSpec& spec) {
  Json json = Json::object();
  json.set("layers", spec.num_layers()).set("width", spec.width).set("heads", spec.num_heads).set("kv_heads", spec.num_kv_heads);
  json.set("head_dim", spec.head_dim).set("ffn_width", spec.ffn_width).set("vocab_size", spec.vocab_size);
  json.set("max_context", spec.max_context).set("position", position_name(spec.position));
  json.set("tied_head", spec.has_tied_head).set("gated_mlp", spec.is_gated).set("qk_norm", spec.has_qk_norm);
  json.set("windowed_layers", num_windowed_layers(spec)).set("is_encoder", spec.mask == nn::MaskKind::kBidirectional);
  if (spec.head.kind != nn::HeadKind::kNone) json.set("head", nn::head_def(spec.head.kind).name).set("labels", spec.head.num_labels);
  if (!spec.ropes.empty()) json.set("rope_theta", spec.ropes[0].theta);
  if (spec.has_encoder()) json.set("encoder", spec_json(spec.encoder[0]));
  return json;
}

Json tensors_json(const format::Checkpoint& checkpoint) {
  Json tensors = Json::array();
  for (const format::TensorEntry& entry : checkpoint.entries()) {
    Json shape = Json::array();
    for (const int64_t dim : entry.shape) shape.push_back(dim);
    Json tensor = Json::object().set("name", entry.name).set("type", dtype_name(entry.dtype)).set("shape", std::move(shape));
    tensors.push_back(tensor.set("bytes", entry.bytes));
  }
  return tensors;
}

std::string tokenizer_kind(const models::Model& model) {
  const auto tokenizer = model.tokenizer();
  return tokenizer.ok() ? (*tokenizer)->kind() : "none: " + tokenizer.status().message();
}

int64_t kv_bytes(const models::Model& model) {
  if (model.is_encoder()) return 0;
  return nn::KvCache::bytes_for(model.spec(), model.kv_dtype(), model.context());
}

void print_json(const InspectArgs& args, const models::Model& model, std::ostream& out) {
  Json types = Json::object();
  for (const auto& [name, total] : totals_by_type(model.checkpoint())) {
    types.set(name, Json::object().set("tensors", total.tensors).set("weights", total.weights).set("bytes", total.bytes));
  }
  Json json = Json::object();
  json.set("path", model.path()).set("format", model.checkpoint().format()).set("architecture", model.arch().name);
  json.set("parameters", num_weights(model.checkpoint())).set("weight_bytes", model.checkpoint().total_bytes());
  json.set("spec", spec_json(model.spec())).set("types", std::move(types));
  json.set("tokenizer", tokenizer_kind(model)).set("has_chat_template", !model.chat_template().empty());
  if (args.shows_template) json.set("chat_template", model.chat_template());
  json.set("context", model.context()).set("kv_type", dtype_name(model.kv_dtype())).set("kv_bytes", kv_bytes(model));
  if (args.shows_tensors) json.set("tensors", tensors_json(model.checkpoint()));
  out << json.dump() << "\n";
}

void print_spec(const nn::TransformerSpec& spec, std::ostream& out) {
  if (spec.has_encoder()) {
    const nn::TransformerSpec& encoder = spec.encoder[0];
    out << fmt::format("encoder       {} layers, feed-forward {}, {} heads of {}\n", encoder.num_layers(), encoder.ffn_width,
                       encoder.num_heads, encoder.head_dim);
  }
  out << fmt::format("layers        {}, width {}, feed-forward {}{}\n", spec.num_layers(), spec.width, spec.ffn_width,
                     spec.is_gated ? " (gated)" : "");
  out << fmt::format("attention     {} heads of {}, {} key-value heads{}\n", spec.num_heads, spec.head_dim, spec.num_kv_heads,
                     spec.has_qk_norm ? ", norms on queries and keys" : "");
  if (const int64_t windowed = num_windowed_layers(spec); windowed > 0) out << fmt::format("windows       in {} layers\n", windowed);
  out << fmt::format("positions     {}, up to {}\n", position_name(spec.position), spec.max_context);
  out << fmt::format("vocabulary    {}{}\n", spec.vocab_size,
                     spec.has_tied_head        ? ", head tied to the embedding"
                     : !spec.has_language_head ? ", no language head"
                                               : "");
  if (spec.head.kind != nn::HeadKind::kNone) {
    const nn::HeadDef& head = nn::head_def(spec.head.kind);
    out << fmt::format("head          {}: {}, {} outputs\n", head.name, head.summary, spec.head.num_labels);
  }
}

void print_text(const InspectArgs& args, const models::Model& model, std::ostream& out) {
  const format::Checkpoint& checkpoint = model.checkpoint();
  out << fmt::format("model         {} ({})\n", model.path(), checkpoint.format());
  out << fmt::format("architecture  {}: {}\n", model.arch().name, model.arch().summary);
  out << fmt::format("parameters    {:.1f} M in {}\n", static_cast<double>(num_weights(checkpoint)) / 1e6,
                     human_bytes(static_cast<uint64_t>(checkpoint.total_bytes())));
  print_spec(model.spec(), out);
  out << fmt::format("tokenizer     {}\n", tokenizer_kind(model));
  out << fmt::format("template      {}\n",
                     model.chat_template().empty() ? "none" : fmt::format("{} characters of Jinja", model.chat_template().size()));
  out << fmt::format("memory        {} of weights, {} of {} cache for a context of {}\n",
                     human_bytes(static_cast<uint64_t>(checkpoint.total_bytes())), human_bytes(static_cast<uint64_t>(kv_bytes(model))),
                     dtype_name(model.kv_dtype()), model.context());
  for (const auto& [name, total] : totals_by_type(checkpoint)) {
    out << fmt::format("  {:<6} {:>5} tensors  {:>10}\n", name, total.tensors, human_bytes(static_cast<uint64_t>(total.bytes)));
  }
  if (args.shows_tensors) {
    for (const format::TensorEntry& entry : checkpoint.entries()) {
      out << fmt::format("{:<48} {:<6} {:<18} {:>10}\n", entry.name, dtype_name(entry.dtype),
                         fmt::format("[{}]", fmt::join(entry.shape, ", ")), human_bytes(static_cast<uint64_t>(entry.bytes)));
    }
  }
  if (const format::Gguf* gguf = checkpoint.as_gguf(); gguf && args.shows_metadata) {
    for (const auto& [key, value] : gguf->metadata()) out << fmt::format("{} = {}\n", key, value.to_string());
  }
  if (args.shows_template) out << model.chat_template() << "\n";
}

// A config.json without weights: what the model would be.
Status inspect_config(const std::string& path, Console& console) {
  ATELIER_TRY(const models::ConfigModel model, models::read_config_model(path));
  if (console.is_json) {
    Json json = Json::object().set("path", path).set("architecture", model.arch->name).set("parameters", model.num_parameters);
    console.out << json.set("spec", spec_json(model.spec)).dump() << "\n";
    return {};
  }
  console.out << fmt::format("architecture  {}: {}\n", model.arch->name, model.arch->summary);
  console.out << fmt::format("parameters    {:.1f} M ({})\n", static_cast<double>(model.num_parameters) / 1e6, model.num_parameters);
  print_spec(model.spec, console.out);
  return {};
}

Status run(const InspectArgs& args, Console& console) {
  if (args.model.model.ends_with(".json")) return inspect_config(args.model.model, console);
  ATELIER_TRY(const auto model, args.model.load_to_look_at());
  const auto print = console.is_json ? print_json : print_text;
  print(args, *model, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<InspectArgs>();
  options->model.declare(args);
  args.group("Options");
  args.flag("--tensors", options->shows_tensors, "list every tensor with its type, shape and size");
  args.flag("--metadata", options->shows_metadata, "list a GGUF file's metadata");
  args.flag("--template", options->shows_template, "print the chat template");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_inspect;
const CommandDef command_inspect = {"inspect", "look", "architecture, tensors, tokenizer, template, memory needed",
                                    "atelier inspect smollm2-135m-instruct --tensors", declare};

}  // namespace atelier::cli
