#include "atelier/models/trainable.h"

#include <algorithm>
#include <cstring>

#include "atelier/base/strings.h"
#include "atelier/models/learned_adapter.h"
#include "atelier/models/model.h"
#include "atelier/models/task_heads.h"
#include "atelier/models/train_batch.h"
#include "atelier/nn/initialise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/task_losses.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "atelier/tensor/matrix_rows.h"

namespace atelier::models {
namespace {

Tensor copy_in_f32(const Tensor& x) {
  Tensor out = as_f32(x);
  if (out.data() != x.data()) return out;
  out = Tensor::zeros(DType::kF32, x.shape());
  std::memcpy(out.mutable_data(), x.data(), static_cast<size_t>(x.num_bytes()));
  return out;
}

void round_to_bf16(const Tensor& value, Tensor& copy) {
  parallel_for(value.count(), 4096, [&](int64_t begin, int64_t end, int) {
    quant::from_f32(DType::kBF16, value.f32() + begin, static_cast<uint16_t*>(copy.mutable_data()) + begin, end - begin);
  });
}

// A table with rows up to first + num, of which those from `first` on are the mean of those before.
Tensor with_new_rows(const Tensor& table, int64_t first, int64_t num) {
  const Tensor known = as_f32(table);
  const int64_t V = known.dim(0), C = known.dim(1);
  Tensor grown = Tensor::zeros(DType::kF32, {std::max(V, first + num), C});
  std::copy_n(known.f32(), V * C, grown.f32());
  std::vector<double> sum(static_cast<size_t>(C));
  for (int64_t v = 0; v < first; ++v) {
    for (int64_t c = 0; c < C; ++c) sum[static_cast<size_t>(c)] += known.f32()[v * C + c];
  }
  for (int64_t v = first; v < first + num; ++v) {
    for (int64_t c = 0; c < C; ++c) grown.f32()[v * C + c] = static_cast<float>(sum[static_cast<size_t>(c)] / static_cast<double>(first));
  }
  return grown;
}

}  // namespace

struct TrainableModel::State {
  const ArchDef* arch = nullptr;
  TrainOptions options;
  std::shared_ptr<const void> owner;  // of frozen weights
  Arena arena;
  Tape tape;
  std::vector<TrainParameter> parameters;
  Layout layout = Layout::kHuggingFace;
  std::unique_ptr<nn::Transformer> transformer;
  nn::Adapter adapter;
  std::vector<std::string> new_parameters;  // of a head that the checkpoint does not have
  std::vector<nn::RowRun> runs;
  std::vector<int32_t> labelled_rows, labels_of_rows;      // live until the walk
  std::vector<int32_t> row_ids, row_labels, row_segments;  // of a batch with virtual tokens
  std::vector<int64_t> span_lengths;                       // of documents, virtual tokens counted
  std::vector<int32_t> span_rows;                          // first and last one of each answer, the same
  std::vector<uint64_t> head_samples;                      // of the rows that the head's output layer reads, for its dropout
  std::vector<int32_t> head_positions;
  int64_t num_parameters = 0;

  int64_t max_length() const { return options.max_length > 0 ? options.max_length : transformer->spec().max_context - adapter.num_virtual; }

  Precision precision() const { return options.precision == Precision::kAuto ? Precision::kBF16 : options.precision; }
  bool has_adapter() const { return options.kind() != AdapterKind::kNone && options.kind() != AdapterKind::kBitFit; }

  void watch(const std::string& name, const Tensor& value) {
    TrainParameter parameter{name, value, {}, false};
    parameter.gradient = Tensor::zeros(DType::kF32, parameter.value.shape());
    parameter.has_decay = parameter.value.shape().rank() >= 2;
    tape.watch(value, parameter.gradient);
    parameters.push_back(std::move(parameter));
  }

  // A parameter of the model learns, in float32.
  void train(const nn::ParameterInfo& info, Tensor& tensor) {
    tensor = copy_in_f32(tensor);
    watch(info.name, tensor);
  }

  // Float matrices that stay as they are become bfloat16 where products are of it.
  void freeze(const nn::TransformerSpec& spec, const nn::ParameterInfo& info, Tensor& tensor) const {
    if (precision() != Precision::kBF16 || !nn::is_multiplied(spec, info)) return;
    if (tensor.dtype() == DType::kBF16 || is_quantized(tensor.dtype())) return;
    Tensor rounded = Tensor::zeros(DType::kBF16, info.shape);
    round_to_bf16(as_f32(tensor), rounded);
    tensor = rounded;
  }

  bool has_new_head() const { return options.head.kind != nn::HeadKind::kNone; }

  // Whether a parameter of the model itself learns.
  bool is_trained(const std::string& name) const {
    if (has_new_head() && (name.starts_with("heads.") || std::ranges::find(new_parameters, name) != new_parameters.end())) return true;
    if (options.is_body_frozen) return false;
    if (options.kind() == AdapterKind::kNone) return true;
    if (options.kind() == AdapterKind::kBitFit) return name.ends_with(".bias");
    const auto& whole = options.lora.whole_modules;
    return std::ranges::any_of(whole, [&](const std::string& module) { return name == module + ".weight"; });
  }

  // Tables that learn alone are no longer one.
  Status untie(nn::TransformerSpec& spec, nn::TransformerParameters& weights) const {
    for (const std::string& module : options.lora.whole_modules) {
      if (module != "embedding" && module != "head") {
        return Status::invalid("lora: whole_modules: " + quoted(module) + " cannot be trained whole; use embedding or head");
      }
    }
    if (options.lora.whole_modules.empty() || !spec.has_tied_head) return {};
    spec.has_tied_head = false;
    weights.head.weight = weights.embedding;
    return {};
  }

  Status start(nn::TransformerSpec spec, nn::TransformerParameters weights) {
    if (spec.has_encoder())
      return Status::unsupported("train: " + spec.architecture + " has an encoder; only decoders and encoders are trained");
    nn::visit_parameters(spec, weights, [&](const nn::ParameterInfo& info, Tensor&) { num_parameters += info.shape.count(); });
    if (has_adapter()) {
      ATELIER_TRY(adapter, new_adapter(*arch, spec, weights, options.lora, options.adapter, options.seed));
      nn::visit_adapter(adapter, [&](const std::string& name, Tensor& tensor) { watch(name, tensor); });
      ATELIER_RETURN_IF_ERROR(untie(spec, weights));
    }
    nn::visit_parameters(spec, weights, [&](const nn::ParameterInfo& info, Tensor& tensor) {
      if (is_trained(info.name)) {
        train(info, tensor);
      } else {
        freeze(spec, info, tensor);
      }
    });
    if (parameters.empty()) return Status::invalid("bitfit: the model has no biases, nothing could learn; use another adapter");
    const int64_t num_positions = spec.max_context;
    if (spec.position == nn::PositionKind::kLearned && adapter.num_virtual + options.max_length > num_positions) {
      return Status::invalid("adapter: " + std::to_string(adapter.num_virtual) + " virtual tokens and documents of " +
                             std::to_string(options.max_length) + " tokens, the model has " + std::to_string(num_positions) +
                             " positions; lower one of the two");
    }
    const int64_t planned = options.max_length > 0 ? options.max_length : spec.max_context;
    transformer = std::make_unique<nn::Transformer>(std::move(spec), std::move(weights), planned);
    tape.zero_gradients();
    return {};
  }

  double row_loss(Context& context, const Tensor& hidden, std::span<const int32_t> labels, double loss_weight,
                  const nn::TrainingForward& training) {
    if (transformer->spec().has_language_head) return language_loss(context, hidden, labels, loss_weight);
    if (transformer->spec().head.kind != nn::HeadKind::kToken) return 0;
    return task_loss(context, task_input(context, hidden, training), labels, loss_weight);
  }

  // What the head's output layer reads, dropped as BERT's classifiers do it; answers' ends are not.
  Tensor task_input(Context& context, const Tensor& hidden, const nn::TrainingForward& training) {
    constexpr uint32_t kSite = 0xFFFF0000;  // beyond all layers'
    const nn::HeadKind kind = transformer->spec().head.kind;
    const Tensor x = transformer->task_input(context, hidden);
    if (kind == nn::HeadKind::kSpan || training.dropout == 0) return x;
    head_samples.clear();
    head_positions.clear();
    for (const nn::RowRun& run : runs) {
      const int64_t rows = nn::head_def(kind).is_of_text ? 1 : run.num_rows;
      for (int64_t t = 0; t < rows; ++t) {
        head_samples.push_back(run.sample);
        head_positions.push_back(static_cast<int32_t>(t));
      }
    }
    return ops::dropout(context, x, {training.dropout, training.seed, training.step, kSite, head_samples, head_positions});
  }

  double task_loss(Context& context, const Tensor& x, std::span<const int32_t> labels, double weight) {
    const nn::LinearLayer& output = transformer->parameters().task.output;
    return ops::cross_entropy(context, x, output.weight, labels, weight, 0, output.bias);
  }

  // Of labels and targets of whole documents.
  double text_loss(Context& context, const Tensor& hidden, const TrainBatch& batch, const nn::TrainingForward& training) {
    if (batch.text_labels.empty() && batch.text_targets.empty()) return 0;
    const nn::HeadSpec& head = transformer->spec().head;
    const nn::LinearLayer& output = transformer->parameters().task.output;
    const Tensor x = task_input(context, hidden, training);
    const auto logits = [&] { return ops::linear(context, x, output.weight, output.bias); };
    if (head.kind == nn::HeadKind::kSpan) return ops::group_cross_entropy(context, logits(), span_lengths, span_rows, batch.text_weight);
    if (head.kind == nn::HeadKind::kChoice) {
      return ops::group_cross_entropy(context, logits(), batch.groups, batch.text_labels, batch.text_weight);
    }
    if (batch.text_targets.empty()) return task_loss(context, x, batch.text_labels, batch.text_weight);
    const bool is_regression = head.problem == nn::ProblemKind::kRegression;
    return is_regression ? ops::squared_error(context, logits(), batch.text_targets, batch.text_weight)
                         : ops::binary_cross_entropy(context, logits(), batch.text_targets, batch.text_weight);
  }

  // The transform before a language head is computed for labelled rows only.
  double language_loss(Context& context, const Tensor& hidden, std::span<const int32_t> labels, double loss_weight) {
    const nn::LinearLayer& head = transformer->parameters().head;
    const float soft_cap = transformer->spec().final_soft_cap;
    if (!transformer->spec().has_head_transform)
      return ops::cross_entropy(context, hidden, head.weight, labels, loss_weight, soft_cap, head.bias);
    labelled_rows.clear();
    labels_of_rows.clear();
    for (size_t t = 0; t < labels.size(); ++t) {
      if (labels[t] == kIgnoredLabel) continue;
      labelled_rows.push_back(static_cast<int32_t>(t));
      labels_of_rows.push_back(labels[t]);
    }
    if (labelled_rows.empty()) return 0;
    const Tensor x = transformer->head_input(context, ops::embedding(context, hidden, labelled_rows));
    return ops::cross_entropy(context, x, head.weight, labels_of_rows, loss_weight, soft_cap, head.bias);
  }

  nn::TrainingForward running() const {
    nn::TrainingForward forward;
    if (has_adapter()) forward.adapter = &adapter;
    return forward;
  }

  void lay_out_spans(const TrainBatch& batch) {
    if (transformer->spec().head.kind != nn::HeadKind::kSpan) return;
    span_lengths.clear();
    span_rows.clear();
    for (const nn::RowRun& run : runs) span_lengths.push_back(run.num_rows);
    for (const int32_t row : batch.text_labels) {
      span_rows.push_back(row == kIgnoredLabel ? row : row + static_cast<int32_t>(adapter.num_virtual));
    }
  }

  // The rows and runs of a batch: virtual tokens, which predict nothing, before each document.
  void lay_out(const TrainBatch& batch) {
    runs.clear();
    row_ids.clear();
    row_labels.clear();
    row_segments.clear();
    size_t next = 0;
    for (size_t i = 0; i < batch.lengths.size(); ++i) {
      const auto count = static_cast<size_t>(batch.lengths[i]);
      for (int64_t v = 0; v < adapter.num_virtual; ++v) row_ids.push_back(static_cast<int32_t>(transformer->spec().vocab_size + v));
      row_labels.resize(row_ids.size(), kIgnoredLabel);
      row_ids.insert(row_ids.end(), batch.ids.begin() + static_cast<ptrdiff_t>(next),
                     batch.ids.begin() + static_cast<ptrdiff_t>(next + count));
      row_labels.insert(row_labels.end(), batch.labels.begin() + static_cast<ptrdiff_t>(next),
                        batch.labels.begin() + static_cast<ptrdiff_t>(next + count));
      if (!batch.segments.empty()) {
        row_segments.resize(row_segments.size() + static_cast<size_t>(adapter.num_virtual), 0);
        row_segments.insert(row_segments.end(), batch.segments.begin() + static_cast<ptrdiff_t>(next),
                            batch.segments.begin() + static_cast<ptrdiff_t>(next + count));
      }
      next += count;
      const uint64_t sample = batch.samples.empty() ? static_cast<uint64_t>(i) : batch.samples[i];
      runs.push_back({nullptr, batch.lengths[i] + adapter.num_virtual, sample});
    }
    lay_out_spans(batch);
    size_t begin = 0;
    for (nn::RowRun& run : runs) {
      if (!row_segments.empty()) run.segments = std::span(row_segments).subspan(begin, static_cast<size_t>(run.num_rows));
      begin += static_cast<size_t>(run.num_rows);
    }
  }

  Result<double> run(const TrainBatch& batch, double loss_weight, bool is_to_learn) {
    ATELIER_RETURN_IF_ERROR(check_batch(transformer->spec(), batch, max_length()));
    lay_out(batch);
    nn::TrainingForward training = running();
    if (is_to_learn) {
      training.dropout = static_cast<float>(options.dropout);
      training.low_rank_dropout = static_cast<float>(options.lora.dropout);
      training.seed = options.seed;
      training.step = batch.step;
      training.has_checkpoints = options.has_checkpoints;
    }
    arena.reset();
    tape.clear();
    Context context{arena, precision(), nullptr, is_to_learn ? &tape : nullptr};
    const Tensor hidden = transformer->forward(context, row_ids, runs, training);
    const double loss = row_loss(context, hidden, row_labels, loss_weight, training) + text_loss(context, hidden, batch, training);
    if (is_to_learn) tape.backward();
    return loss;
  }

  Result<std::vector<float>> task_logits(const TrainBatch& batch) {
    if (transformer->spec().head.kind == nn::HeadKind::kNone) return Status::invalid("task_logits: the model has no head for a task");
    ATELIER_RETURN_IF_ERROR(check_batch(transformer->spec(), batch, max_length()));
    lay_out(batch);
    arena.reset();
    tape.clear();
    Context context{arena, precision()};
    const Tensor hidden = transformer->forward(context, row_ids, runs, running());
    const Tensor logits = transformer->task_logits(context, hidden);
    const int64_t N = logits.dim(1);
    if (nn::head_def(transformer->spec().head.kind).is_of_text || adapter.num_virtual == 0) {
      return std::vector<float>(logits.f32(), logits.f32() + logits.count());
    }
    std::vector<float> out;  // without the rows of virtual tokens
    const float* row = logits.f32();
    for (const nn::RowRun& run : runs) {
      out.insert(out.end(), row + adapter.num_virtual * N, row + run.num_rows * N);
      row += run.num_rows * N;
    }
    return out;
  }

  // The checkpoint's head stays where it is what is asked for.
  Status put_head(nn::TransformerSpec& spec, nn::TransformerParameters& weights) {
    const nn::HeadSpec had = spec.head;
    ATELIER_TRY(spec, with_task_head(*arch, std::move(spec), options.head));
    const bool is_same = had.kind == spec.head.kind && had.num_labels == spec.head.num_labels && had.has_dense == spec.head.has_dense;
    if (!is_same) weights.task = {};
    weights.head = {};
    weights.head_transform = {};
    if (!spec.has_pooler) weights.pooler = {};
    nn::visit_parameters(spec, weights, [&](const nn::ParameterInfo& info, Tensor& tensor) {
      if (tensor) return;
      tensor = Tensor::zeros(DType::kF32, info.shape);
      nn::initialise_parameter(spec, info.name, options.seed, tensor);
      new_parameters.push_back(info.name);
    });
    return check_spec(spec);
  }
};

TrainableModel::TrainableModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrainableModel::~TrainableModel() = default;

Result<std::unique_ptr<TrainableModel>> TrainableModel::from_spec(const ArchDef& arch, nn::TransformerSpec spec,
                                                                  const TrainOptions& options) {
  if (options.head.kind != nn::HeadKind::kNone) {
    ATELIER_TRY(spec, with_task_head(arch, std::move(spec), options.head));
  }
  ATELIER_RETURN_IF_ERROR(check_spec(spec));
  auto state = std::make_unique<State>();
  state->arch = &arch;
  state->options = options;
  nn::TransformerParameters weights;
  nn::visit_parameters(spec, weights, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    tensor = Tensor::zeros(DType::kF32, info.shape);
    nn::initialise_parameter(spec, info.name, options.seed, tensor);
    // At once, so that memory never holds all in float32; tables that learn alone start from the embedding's own numbers.
    if (options.lora.whole_modules.empty() && !state->is_trained(info.name)) state->freeze(spec, info, tensor);
  });
  ATELIER_RETURN_IF_ERROR(state->start(std::move(spec), std::move(weights)));
  return std::unique_ptr<TrainableModel>(new TrainableModel(std::move(state)));
}

Result<std::unique_ptr<TrainableModel>> TrainableModel::from_checkpoint(const std::string& path, const TrainOptions& options) {
  LoadOptions load;
  load.precision = options.precision;
  const bool keeps_weights = options.kind() != AdapterKind::kNone || options.is_body_frozen;
  load.is_to_run = keeps_weights;
  load.context = options.max_length;
  ATELIER_TRY(std::unique_ptr<Model> loaded, load_model(path, load));
  const std::shared_ptr<const Model> model = std::move(loaded);
  auto state = std::make_unique<State>();
  state->arch = &model->arch();
  state->layout = model->layout();
  state->options = options;
  if (keeps_weights) state->owner = model;
  nn::TransformerSpec spec = model->spec();
  nn::TransformerParameters weights = model->transformer().parameters();  // views
  if (options.num_new_tokens > 0) {
    if (spec.mask == nn::MaskKind::kBidirectional) return Status::unsupported("new tokens: only decoders take them; leave them out");
    if (options.first_new_token < 1 || options.first_new_token > spec.vocab_size) {
      return Status::invalid("new tokens: the first is " + std::to_string(options.first_new_token) + ", the model has " +
                             std::to_string(spec.vocab_size));
    }
    weights.embedding = with_new_rows(weights.embedding, options.first_new_token, options.num_new_tokens);
    if (!spec.has_tied_head) weights.head.weight = with_new_rows(weights.head.weight, options.first_new_token, options.num_new_tokens);
    spec.vocab_size = weights.embedding.dim(0);
  }
  if (state->has_new_head()) ATELIER_RETURN_IF_ERROR(state->put_head(spec, weights));
  ATELIER_RETURN_IF_ERROR(state->start(std::move(spec), std::move(weights)));
  return std::unique_ptr<TrainableModel>(new TrainableModel(std::move(state)));
}

const ArchDef& TrainableModel::arch() const { return *state_->arch; }
const nn::TransformerSpec& TrainableModel::spec() const { return state_->transformer->spec(); }
const TrainOptions& TrainableModel::options() const { return state_->options; }
std::span<TrainParameter> TrainableModel::parameters() { return state_->parameters; }
int64_t TrainableModel::num_parameters() const { return state_->num_parameters; }

Result<double> TrainableModel::loss_and_backward(const TrainBatch& batch, double loss_weight) {
  return state_->run(batch, loss_weight, true);
}
Result<double> TrainableModel::loss(const TrainBatch& batch, double loss_weight) { return state_->run(batch, loss_weight, false); }
Result<std::vector<float>> TrainableModel::task_logits(const TrainBatch& batch) { return state_->task_logits(batch); }

void TrainableModel::zero_gradients() { state_->tape.zero_gradients(); }
Layout TrainableModel::layout() const { return state_->layout; }

nn::TransformerParameters TrainableModel::weights() const {
  nn::TransformerParameters weights = state_->transformer->parameters();
  const auto is_first = [&](const TrainParameter& parameter) { return state_->is_trained(parameter.name); };
  auto next = std::ranges::find_if(state_->parameters, is_first);  // behind the adapter's, in the order of the model's
  nn::visit_parameters(spec(), weights, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (next != state_->parameters.end() && next->name == info.name) tensor = (next++)->value;
  });
  return weights;
}

std::shared_ptr<const nn::Adapter> TrainableModel::adapter() const {
  if (!state_->has_adapter()) return nullptr;
  auto adapter = std::make_shared<nn::Adapter>(state_->adapter);
  compute_gains(state_->transformer->parameters(), *adapter);
  return adapter;
}

nn::TrainingForward TrainableModel::running() const { return state_->running(); }
nn::Transformer& TrainableModel::transformer() { return *state_->transformer; }
int64_t TrainableModel::memory_bytes() const { return static_cast<int64_t>(state_->arena.capacity_bytes()) + state_->tape.buffer_bytes(); }

}  // namespace atelier::models
