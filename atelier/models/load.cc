// load_model: open, read the configuration, map the weights, plan the context.
#include <algorithm>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/format/gguf.h"
#include "atelier/format/refusals.h"
#include "atelier/io/file.h"
#include "atelier/models/encoder_config.h"
#include "atelier/models/model.h"
#include "atelier/models/side_files.h"
#include "atelier/models/weights.h"

namespace atelier::models {
namespace {

// The ArchDef of config.json's "architectures", with the nearest names in the error.
Result<const ArchDef*> arch_of_config(const Json& config) {
  const Json* classes = config.find("architectures");
  if (classes == nullptr || !classes->is_array() || classes->as_array().empty() || !classes->as_array()[0].is_string()) {
    return Status::corrupt("config.json: architectures is missing; it must name the model class, such as [\"LlamaForCausalLM\"]");
  }
  const std::string& name = classes->as_array()[0].as_string();
  if (const ArchDef* arch = find_by_hf_class(name, config)) return arch;
  std::vector<std::string> known;
  for (const ArchDef* arch : architectures()) known.insert(known.end(), arch->hf_classes.begin(), arch->hf_classes.end());
  return Status::unsupported("config.json: architecture " + quoted(name) + " is not supported; supported: " + join(known, ", "));
}

Result<const ArchDef*> arch_of_gguf(const format::Gguf& file) {
  ATELIER_TRY(const std::string name, file.get_string("general.architecture"));
  if (const ArchDef* arch = find_by_gguf_name(name)) return arch;
  std::vector<std::string> known;
  for (const ArchDef* arch : architectures()) {
    if (arch->gguf_name != nullptr) known.push_back(arch->gguf_name);
  }
  return Status::unsupported("gguf: architecture " + quoted(name) + " is not supported; supported: " + join(known, ", "));
}

// What a context of 0 means: the model's own, or the trained length where a longer plan would change the rotary frequencies.
int64_t planned_context(const nn::TransformerSpec& spec, int64_t asked) {
  if (asked > 0) return asked;
  int64_t context = spec.max_context;
  for (const nn::RopeSpec& rope : spec.ropes) {
    const bool depends_on_length = rope.scaling == nn::RopeScaling::kDynamic || rope.scaling == nn::RopeScaling::kLongRope;
    if (depends_on_length) context = std::min(context, rope.original_context);
  }
  return context;
}

Status check_context(const nn::TransformerSpec& spec, int64_t context) {
  constexpr int64_t kMaxContext = int64_t{1} << 24;
  if (context < 1 || context > kMaxContext) {
    return Status::invalid("context is " + std::to_string(context) + ", must be 1 to " + std::to_string(kMaxContext));
  }
  const bool has_table = spec.position == nn::PositionKind::kLearned;
  if (has_table && context > spec.max_context) {
    return Status::invalid("context is " + std::to_string(context) + ", this model has " + std::to_string(spec.max_context) +
                           " learned positions; use --context " + std::to_string(spec.max_context));
  }
  return Status::ok_status();
}

// Checkpoints of a bare encoder leave its pooler out as they like, and BERT's own are called BertForMaskedLM and have the other head too.
// Those of encoder-decoders have a head of their own or none, and a bias or none, whatever their configuration says.
void adapt_heads(const ArchDef& arch, Layout layout, const format::Checkpoint& checkpoint, nn::TransformerSpec& spec) {
  if (layout != Layout::kHuggingFace) return;
  const auto has = [&](const char* parameter) {
    return find_tensor(checkpoint, stored_parameter(arch, layout, parameter).name) != nullptr;
  };
  if (spec.has_encoder() && spec.has_language_head) spec.has_tied_head = !has("head.weight");
  if (spec.has_encoder() && spec.has_head_bias && !has("head.bias")) spec.has_head_bias = false;
  const bool is_bare = spec.head.kind == nn::HeadKind::kNone;
  if (is_bare && spec.has_pooler && !has("pooler.weight")) spec.has_pooler = false;
  const bool may_have_both = is_bare && spec.has_head_transform && spec.architecture == "bert";
  if (may_have_both && has("pooler.weight") && has("heads.next_sentence.weight")) {
    spec.has_pooler = true;
    spec.head = next_sentence_head();
  }
}

Result<Json> read_config(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path, int64_t{16} << 20));
  ATELIER_TRY(Json config, Json::parse(text, path));
  ATELIER_RETURN_IF_ERROR(format::refuse_unsupported_config(config));
  return config;
}

}  // namespace

class ModelLoader {
 public:
  static Result<std::unique_ptr<Model>> load(const std::string& path, const LoadOptions& options) {
    std::unique_ptr<Model> model(new Model());
    model->path_ = path;
    ATELIER_TRY(model->checkpoint_, format::open_checkpoint(path));
    const format::Gguf* gguf = model->checkpoint_->as_gguf();
    model->layout_ = gguf != nullptr ? Layout::kGguf : Layout::kHuggingFace;
    ATELIER_TRY(nn::TransformerSpec spec, gguf != nullptr ? read_gguf(*model, *gguf) : read_hf(*model));
    adapt_heads(*model->arch_, model->layout_, *model->checkpoint_, spec);
    ATELIER_RETURN_IF_ERROR(check_spec(spec));
    ATELIER_TRY(nn::TransformerParameters parameters,
                load_parameters(*model->arch_, model->layout_, spec, *model->checkpoint_, options.is_to_run, options.type));

    model->precision_ = options.precision;
    model->kv_dtype_ = options.kv.value_or(options.precision == Precision::kF32 ? DType::kF32 : DType::kF16);
    model->context_ = planned_context(spec, options.context);
    ATELIER_RETURN_IF_ERROR(check_context(spec, model->context_));
    for (const nn::RopeSpec& rope : spec.ropes) {
      const std::string note = nn::describe_length_dependence(rope, model->context_);
      if (!note.empty()) log(LogLevel::kInfo, note);
    }
    model->transformer_ = std::make_unique<nn::Transformer>(std::move(spec), std::move(parameters), model->context_);
    return model;
  }

 private:
  static Result<nn::TransformerSpec> read_gguf(Model& model, const format::Gguf& file) {
    ATELIER_RETURN_IF_ERROR(format::refuse_unsupported_gguf(file));
    ATELIER_TRY(model.arch_, arch_of_gguf(file));
    ATELIER_TRY(SideFiles side, gguf_side_files(file));
    take(model, std::move(side));
    return model.arch_->from_gguf(file);
  }

  static Result<nn::TransformerSpec> read_hf(Model& model) {
    const std::string folder = io::is_directory(model.path_) ? model.path_ : io::folder_of(model.path_);
    ATELIER_TRY(const Json config, read_config(io::join_path(folder, "config.json")));
    ATELIER_TRY(model.arch_, arch_of_config(config));
    ATELIER_TRY(SideFiles side, hf_side_files(folder, config));
    take(model, std::move(side));
    return model.arch_->from_hf(config);
  }

  static void take(Model& model, SideFiles side) {
    if (side.tokenizer.ok()) {
      model.tokenizer_ = std::move(side.tokenizer).value();
      const Result<tokenize::Encoding> probe = model.tokenizer_->encode("");
      model.adds_bos_ = model.tokenizer_->bos() && probe.ok() && !probe->ids.empty() && probe->ids[0] == *model.tokenizer_->bos();
    } else {
      model.tokenizer_status_ = side.tokenizer.status();
    }
    model.chat_template_ = std::move(side.chat_template);
    model.defaults_ = std::move(side.defaults);
  }
};

Result<ConfigModel> read_config_model(const std::string& config_path) {
  ATELIER_TRY(const Json config, read_config(config_path));
  ATELIER_TRY(const ArchDef* arch, arch_of_config(config));
  ATELIER_TRY(nn::TransformerSpec spec, arch->from_hf(config));
  ATELIER_RETURN_IF_ERROR(check_spec(spec));
  ConfigModel out{arch, std::move(spec), 0};
  nn::TransformerParameters none;
  nn::visit_parameters(out.spec, none, [&](const nn::ParameterInfo& info, Tensor&) { out.num_parameters += info.shape.count(); });
  return out;
}

Result<std::unique_ptr<Model>> load_model(const std::string& path, const LoadOptions& options) { return ModelLoader::load(path, options); }

}  // namespace atelier::models
