// A model's parameters as the tensors of a layout: renamed, joined or split, their rows in that layout's order.
//
// In between stands the logical parameter (nn::visit_parameters): whole, [N, K], rows in Hugging Face's order. models/ has undone
// what the source's layout did when it loaded the model, except for the order of rotary rows, which a GGUF "llama" keeps to the end.
#pragma once

#include <memory>
#include <vector>

#include "atelier/convert/tensor_stream.h"
#include "atelier/models/model.h"
#include "atelier/nn/adapter.h"

namespace atelier::convert {

// A model's parameters in the order that `layout` gave their rows, and who keeps them alive.
struct ModelWeights {
  const models::ArchDef* arch;
  models::Layout layout;
  nn::TransformerSpec spec;
  nn::TransformerParameters parameters;
  std::shared_ptr<const void> owner;
  // What is merged into the linear layers and the embedding, by nn::merge_row.
  struct Addition {
    std::shared_ptr<const nn::Adapter> adapter;
    float weight = 1;
  };
  std::vector<Addition> additions;
};
ModelWeights weights_of(const std::shared_ptr<const models::Model>& model);

// Every parameter of `model` as tensors of `layout`, in the order of nn::visit_parameters. Matrices keep their type (F32 when parts
// of several types are joined, or when they change place with quantized rows), vectors are F32. The tensors hold on to `model`;
// `is_changed` says which of them the additions change.
std::vector<OutputTensor> relayout(const std::shared_ptr<const ModelWeights>& model, models::Layout layout);

}  // namespace atelier::convert
