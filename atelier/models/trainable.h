// A model that learns: parameters with gradients, and the loss of a batch with its backward walk.
//
//   ATELIER_TRY(auto model, models::TrainableModel::from_checkpoint("runs/start", {}));
//   model->zero_gradients();
//   for (const TrainBatch& micro : step) loss += model->loss_and_backward(micro, 1.0 / num_targets);
//   ... an optimizer writes parameters()[i].value from parameters()[i].gradient ...
//
// It runs the same nn::Transformer as inference (docs/adr/0007) with a tape (docs/adr/0014). Values and gradients are float32 and keep
// their addresses for the model's life. The same bits for the same batch, whatever was computed before; one owner thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/autograd/tape.h"
#include "atelier/base/status.h"
#include "atelier/models/adapter_options.h"
#include "atelier/models/arch.h"
#include "atelier/nn/transformer.h"
#include "atelier/ops/cross_entropy.h"

namespace atelier::models {

using ops::kIgnoredLabel;  // -100

// Documents laid end to end. A row sees the rows of its own document up to itself, with an encoder all of them; positions begin at 0 in
// each.
struct TrainBatch {
  std::span<const int32_t> ids;       // [T]
  std::span<const int32_t> labels;    // [T] what row t is to predict, or kIgnoredLabel: the next token (not ids[t]), the token that a mask
                                      // hides, or the label of a head for tokens where there is no language head
  std::span<const int64_t> lengths;   // rows of each document, all positive, their sum T
  std::span<const uint64_t> samples;  // the document's number in the run, for dropout; empty: 0, 1, 2, ...
  uint64_t step = 0;                  // of the optimizer, for dropout
  std::span<const int32_t> segments = {};  // [T] of BERT's pairs; empty: all 0
  // What a head says of whole documents, by its kind, or kIgnoredLabel; empty: none
  //   one label of several [B]     kSpan [B, 2] an answer's first and last row in its document     kChoice [G] which document of each group
  std::span<const int32_t> text_labels = {};
  double text_weight = 0;                    // of each of these labels' or targets' loss, as loss_weight is of each row's
  std::span<const float> text_targets = {};  // [B, N] numbers of a regression, or 0 and 1 of many labels; empty: none
  std::span<const int64_t> groups = {};      // [G] kChoice: how many documents, one after the other, are answers to one question
};

struct TrainOptions {
  Precision precision = Precision::kF32;  // kBF16: bfloat16 products where the CPU has them, float32 masters
  int64_t max_length = 0;                 // of a document; 0: the model's max_context. OutOfRange beyond it
  bool has_checkpoints = false;           // blocks keep their input only and are computed again in the backward walk
  double dropout = 0;                     // of embeddings and of what each sublayer adds
  uint64_t seed = 0;                      // of initial weights and dropout
  // Rows of the embedding and of the head that a checkpoint does not know: [first, first + num). They become the mean of the rows before.
  int64_t first_new_token = 0, num_new_tokens = 0;
  LoraOptions lora;
  AdapterOptions adapter;
  // A head for a task instead of the checkpoint's own ones. That of a checkpoint which has the same is kept, else it is new. It is trained
  // also where the rest is not.
  nn::HeadSpec head;
  bool is_body_frozen = false;  // only that head is trained
  // QLoRA: what the blocks' float matrices become where they are frozen, a block type; those of a checkpoint's block types stay what they
  // are.
  std::optional<DType> frozen_type = {};

  AdapterKind kind() const {  // kNone: all parameters are trained
    return adapter.kind == AdapterKind::kNone && lora.rank > 0 ? AdapterKind::kLora : adapter.kind;
  }
};

struct TrainParameter {
  std::string name;        // logical: "layers.0.mlp.down.weight"; of an adapter "layers.0.mlp.down.lora_a"
  Tensor value, gradient;  // F32, the same shape
  bool has_decay = true;   // a matrix or table: weight decay applies; not for biases and norms
};

// What the head for a task says of a batch.
struct TaskOutputs {
  double loss = 0;
  std::vector<float> logits;  // [B, N] or [T, N] as its kind says, row by row
};

class TrainableModel {
 public:
  // New weights as the architecture's authors draw them (nn/initialise.h).
  static Result<std::unique_ptr<TrainableModel>> from_spec(const ArchDef& arch, nn::TransformerSpec spec, const TrainOptions& options);
  // A GGUF file or a Hugging Face folder. Where all parameters are trained, quantized weights become float32; else
  // they stay frozen in their type. InvalidArgument for a frozen_type where nothing is frozen, or that rows do not fit.
  static Result<std::unique_ptr<TrainableModel>> from_checkpoint(const std::string& path, const TrainOptions& options);
  ~TrainableModel();

  const ArchDef& arch() const;
  const nn::TransformerSpec& spec() const;
  const TrainOptions& options() const;
  // What is trained, in the order of nn::visit_parameters; with an adapter its numbers, and what else of the
  // model learns (LoraOptions::whole_modules; biases, of BitFit).
  std::span<TrainParameter> parameters();
  int64_t num_parameters() const;  // of the whole model, frozen ones included

  // Sum over labelled rows of -log p(label), times loss_weight, and over labels or targets of documents of their loss (nn::ProblemKind; a
  // cross-entropy over rows or documents for kSpan and kChoice), times text_weight; its gradients are
  // added to parameters().
  // With loss_weight = 1 / (labelled rows of all micro-batches) the sum over micro-batches is the mean loss, however they are cut.
  // Errors: OutOfRange for an id or label outside the vocabulary or a document above max_length, InvalidArgument for lengths that do
  // not add up. A batch without labels gives 0.
  Result<double> loss_and_backward(const TrainBatch& batch, double loss_weight);
  // The same sum without gradients and without dropout.
  Result<double> loss(const TrainBatch& batch, double loss_weight);
  // The same sum and the logits that it is of, from one pass. InvalidArgument without a head for a task.
  Result<TaskOutputs> task_outputs(const TrainBatch& batch, double loss_weight);

  void zero_gradients();  // costs nothing: the next contribution overwrites

  // The weights as they are, without the adapter, as `layout` orders their rows: float32 what is trained, frozen ones in their type and as
  // products read them. Views.
  nn::TransformerParameters weights() const;
  // What learns beside the weights, ready to run; nothing where all or some of them learn themselves. Its tensors are the parameters'.
  std::shared_ptr<const nn::Adapter> adapter() const;
  Layout layout() const;
  // What inference runs: a view of the same weights, valid while this lives.
  nn::Transformer& transformer();
  // How it is run without learning: with the adapter.
  nn::TrainingForward running() const;
  int64_t memory_bytes() const;  // activations and gradients of activations held for reuse

 private:
  struct State;
  explicit TrainableModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace atelier::models
