// Trainers: how a vocabulary is learnt from the words of a corpus.
//
// A trainer is one file in tokenize/trainers/ that exports one `const TrainerDef trainer_<name>`; CMake writes the table. It names the
// stages of its pipeline as a tokenizer.json spells them, and turns counted words into the file's `model`. train_tokenizer() does the rest:
// it counts with the pipeline's own stages and puts the file together, which Hugging Face tokenizers and Tokenizer::from_tokenizer_json
// load.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/corpus.h"
#include "atelier/tokenize/tokenizer.h"
#include "atelier/tokenize/word_counter.h"

namespace atelier::tokenize {

struct TrainerOptions {
  int64_t vocab_size = 32000;
  int64_t min_frequency = 0;                               // pairs that occur less often are not merged
  std::optional<std::vector<std::string>> special_tokens;  // ids from 0 on; without, those of the kind

  std::optional<int64_t> limit_alphabet;  // keeps the most frequent characters
  std::string initial_alphabet;           // characters that are kept whether they occur or not
  std::string continuing_subword_prefix;  // of every symbol but a word's first; word pieces have "##" unless it is set
  std::string end_of_word_suffix;         // of a word's last symbol
  std::optional<int64_t> max_token_length;

  bool lowercase = false;          // where the kind has a normalizer that can
  std::optional<Json> normalizer;  // in place of the kind's own stages, as in tokenizer.json
  std::optional<Json> pre_tokenizer;

  double character_coverage = 0.9995;  // unigram: rarer characters get no piece
  int64_t seed_pieces = 1000000;       // unigram: pieces that pruning starts from
  double shrinking_factor = 0.75;      // unigram: the part of the pieces that one pruning keeps
  int64_t num_sub_iterations = 2;      // unigram: steps of EM between prunings
  int64_t max_piece_length = 16;       // unigram: characters
};

// The stages around a model; null where there is none.
struct PipelineStages {
  Json normalizer, pre_tokenizer, post_processor, decoder;
};

struct TrainerDef {
  const char* name;
  const char* summary;  // one line for `atelier list trainers`
  const char* source;   // paper or the implementation that the result equals
  std::vector<std::string> (*special_tokens)();
  PipelineStages (*stages)(const TrainerOptions& options);
  // The `model` of tokenizer.json. `options.special_tokens` is set. Ids of special tokens are their places in that list.
  Result<Json> (*train)(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress);
};

// Every trainer, sorted by file name.
std::span<const TrainerDef* const> trainers();

// By name; the error names the nearest.
Result<const TrainerDef*> find_trainer(const std::string& name);

// Learns a tokenizer: a whole tokenizer.json. To be called from the owner thread.
Result<Json> train_tokenizer(const TrainerDef& trainer, TrainerOptions options, Corpus& corpus, const CountOptions& count_options);

// The tokenizer_config.json beside it, by which transformers knows the special tokens.
Json trained_tokenizer_config(const std::vector<std::string>& special_tokens);

}  // namespace atelier::tokenize
