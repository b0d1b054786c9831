// What encoders of the BERT family share: the parts, the sizes of config.json, and the head that its class names.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/models/arch.h"

namespace atelier::models {

// Bidirectional attention, LayerNorm behind each sum, learned positions and biases everywhere, whatever the sizes.
void set_encoder_parts(nn::TransformerSpec& spec);

// How an architecture's classes build their heads.
struct HeadStyle {
  bool has_pooler_class = true;  // the bare model has a pooler (not DistilBERT)
  bool pools_sequences = true;   // the head for sequences reads the pooler (BERT), else a dense layer of its own
  bool pools_choices = true;     // the same for multiple choice
  kernels::Activation dense_activation = kernels::Activation::kTanh;  // of that dense layer
};

// BERT's: label 0 where text B follows text A.
nn::HeadSpec next_sentence_head();

// The heads of the class in config.json's "architectures" ("BertForTokenClassification"), with labels and kind of problem.
Status read_heads(const Json& config, const HeadStyle& style, nn::TransformerSpec& spec);

// The spec of a config.json with BERT's keys (hidden_size, num_hidden_layers, …), with heads.
struct EncoderDefaults {
  int64_t vocab_size, max_positions, num_segments;
  bool has_position_offset;  // positions begin behind the padding token's id
};
Result<nn::TransformerSpec> hf_encoder(const Json& config, const std::string& architecture, const EncoderDefaults& defaults,
                                       const HeadStyle& style);

// RoBERTa's and its children's, which differ in their vocabularies.
Result<nn::TransformerSpec> hf_roberta(const Json& config, const std::string& architecture, const EncoderDefaults& defaults);

}  // namespace atelier::models
