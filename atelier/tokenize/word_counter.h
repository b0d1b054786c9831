// How often each word occurs in a corpus, a word being what a pre-tokenizer makes: what every trainer starts from.
//
// All threads of parallel/ cut and count, each into a table of its own. Where the tables together pass the limit, their contents go to
// disk in shards by hash, and each shard is added up alone at the end. Counts are integers and the result is sorted, so that neither
// threads nor spilling can be seen in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/tokenize/corpus.h"
#include "atelier/tokenize/normalizer.h"
#include "atelier/tokenize/pre_tokenizer.h"
#include "atelier/tokenize/word_table.h"

namespace atelier::tokenize {

// Told what is being done and how far it is; false cancels.
using TrainingProgress = std::function<bool(const char* stage, int64_t done, int64_t total)>;

struct CountOptions {
  uint64_t memory_bytes = uint64_t{1} << 30;  // of the tables while counting
  std::string scratch_folder = ".";           // where shards go
  TrainingProgress progress = {};
};

// The words in ascending order of their bytes, each once; byte-level pieces are spelled in byte-level characters.
class WordCounts {
 public:
  WordCounts() = default;
  // Takes words in any order, each once.
  explicit WordCounts(const std::vector<std::pair<std::string, uint64_t>>& words);

  const std::vector<CountedWord>& words() const { return words_; }
  bool was_spilled() const { return was_spilled_; }

 private:
  friend class WordCounter;
  void append(std::string_view word, uint64_t count);
  void sort();

  std::vector<CountedWord> words_;
  std::vector<std::unique_ptr<std::string>> storage_;  // blocks that never grow past what they reserved
  bool was_spilled_ = false;
};

// `normalizer` and `pre_tokenizer` may be null. To be called from the owner thread.
Result<WordCounts> count_words(Corpus& corpus, const Normalizer* normalizer, const PreTokenizer* pre_tokenizer,
                               const CountOptions& options);

}  // namespace atelier::tokenize
