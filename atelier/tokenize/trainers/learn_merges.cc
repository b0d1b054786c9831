#include "atelier/tokenize/trainers/learn_merges.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <set>
#include <unordered_map>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/hash.h"
#include "atelier/tokenize/trainers/alphabet.h"

namespace atelier::tokenize {
namespace {

using Symbol = uint32_t;  // an id

// Two neighbours as one number: comparing these compares (left, right).
uint64_t pair_of(Symbol left, Symbol right) { return uint64_t{left} << 32 | right; }

// Pairs, their counts, and the words where they newly occur: open addressing, entries stay where they are.
class PairTable {
 public:
  struct Entry {
    uint64_t pair;
    int64_t count = 0;            // over the corpus; what merges away is subtracted
    std::vector<uint32_t> words;  // where the pair came up since it was last queued; ascending, each once
  };

  PairTable() : slots_(kFirstSlots, kFree) {}

  // The index of the pair's entry, which is made if it is not there. Entries may move.
  uint32_t find_or_add(uint64_t pair) {
    if (2 * entries_.size() >= slots_.size()) grow();
    uint32_t& slot = slots_[find_slot(pair)];
    if (slot == kFree) {
      slot = static_cast<uint32_t>(entries_.size());
      entries_.push_back({pair});
    }
    return slot;
  }
  Entry& entry(uint32_t index) { return entries_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }

 private:
  static constexpr uint32_t kFree = std::numeric_limits<uint32_t>::max();
  static constexpr size_t kFirstSlots = size_t{1} << 16;

  size_t find_slot(uint64_t pair) const {
    const size_t mask = slots_.size() - 1;
    size_t i = mix_bits(pair) & mask;
    while (slots_[i] != kFree && entries_[slots_[i]].pair != pair) i = (i + 1) & mask;
    return i;
  }
  void grow() {
    slots_.assign(2 * slots_.size(), kFree);
    for (uint32_t i = 0; i < size(); ++i) slots_[find_slot(entries_[i].pair)] = i;
  }

  std::vector<uint32_t> slots_;  // a power of two
  std::vector<Entry> entries_;
};

class Learner {
 public:
  Learner(const WordCounts& counts, const TrainerOptions& options, std::vector<std::string> tokens)
      : options_(options), tokens_(std::move(tokens)) {
    for (size_t id = 0; id < tokens_.size(); ++id) ids_.emplace(tokens_[id], static_cast<Symbol>(id));
    cut_words(counts);
    lengths_.assign(tokens_.size(), 1);
  }

  size_t num_tokens() const { return tokens_.size(); }

  Result<LearntMerges> run(const TrainingProgress& progress) {
    count_pairs();
    const auto target = static_cast<size_t>(options_.vocab_size);
    while (tokens_.size() < target && !queue_.empty()) {
      Candidate best = queue_.top();
      queue_.pop();
      const int64_t count = pairs_.entry(best.pair_index).count;
      if (best.count != count) {
        best.count = count;
        if (count > 0) {
          queue_.push(best);
        } else {
          take_queued_words(best.words);
        }
        continue;
      }
      if (best.count < options_.min_frequency) break;
      merge(best);
      if (merges_.size() % kMergesPerReport == 0 &&
          !progress("merge pairs", static_cast<int64_t>(tokens_.size()), static_cast<int64_t>(target))) {
        return Status::cancelled("tokenizer: training was stopped");
      }
    }
    return LearntMerges{std::move(tokens_), unique_merges()};
  }

 private:
  static constexpr size_t kMergesPerReport = 64;

  struct Word {
    size_t begin;   // in symbols_
    uint32_t size;  // symbols
    int64_t count;
  };
  struct Candidate {
    int64_t count;  // as it was when this was queued
    uint64_t pair;
    uint32_t pair_index;
    uint32_t words;  // place in queued_words_
    // The queue's order: count descending, then pair ascending.
    bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : pair > other.pair; }
  };

  void cut_words(const WordCounts& counts) {
    add_affixed_characters(counts);
    words_.reserve(counts.words().size());
    for (const CountedWord& word : counts.words()) {
      const size_t begin = symbols_.size();
      for_each_symbol(word.word, [&](const std::string& spelled) { symbols_.push_back(ids_.at(spelled)); });
      words_.push_back({begin, static_cast<uint32_t>(symbols_.size() - begin), static_cast<int64_t>(word.count)});
    }
  }

  // Calls visit(spelling) for every character of `word` that is in the alphabet, with its prefix and suffix.
  template <typename Visit>
  void for_each_symbol(std::string_view word, Visit visit) {
    std::string spelled;
    for (size_t i = 0, length = 0; i < word.size(); i += length) {
      length = text::utf8_length(word[i]);
      spelled = word.substr(i, length);
      if (!ids_.contains(spelled)) continue;
      if (i > 0) spelled.insert(0, options_.continuing_subword_prefix);
      if (i + length == word.size()) spelled += options_.end_of_word_suffix;
      visit(spelled);
    }
  }

  // Characters with a prefix or a suffix that occur, in the order of their bytes. (Hugging Face adds them in the order of a hash table,
  // another one in every run.)
  void add_affixed_characters(const WordCounts& counts) {
    if (options_.continuing_subword_prefix.empty() && options_.end_of_word_suffix.empty()) return;
    std::set<std::string> spellings;
    for (const CountedWord& word : counts.words()) {
      for_each_symbol(word.word, [&](const std::string& spelled) {
        if (!ids_.contains(spelled)) spellings.insert(spelled);
      });
    }
    for (const std::string& spelled : spellings) {
      ids_.emplace(spelled, static_cast<Symbol>(tokens_.size()));
      tokens_.push_back(spelled);
    }
  }

  void count_pairs() {
    for (uint32_t i = 0; i < words_.size(); ++i) {
      const Symbol* symbols = symbols_.data() + words_[i].begin;
      for (uint32_t j = 0; j + 1 < words_[i].size; ++j) add_occurrence(pair_of(symbols[j], symbols[j + 1]), i);
    }
    queue_touched();
  }

  void add_occurrence(uint64_t pair, uint32_t word) {
    const uint32_t index = pairs_.find_or_add(pair);
    PairTable::Entry& entry = pairs_.entry(index);
    entry.count += words_[word].count;
    if (entry.words.empty()) touched_.push_back(index);
    if (entry.words.empty() || entry.words.back() != word) entry.words.push_back(word);
  }

  void subtract_occurrence(uint64_t pair, uint32_t word) { pairs_.entry(pairs_.find_or_add(pair)).count -= words_[word].count; }

  // Queues the pairs that came up, each with the words where it did.
  void queue_touched() {
    for (const uint32_t index : touched_) {
      PairTable::Entry& entry = pairs_.entry(index);
      if (entry.count > 0) {
        queue_.push({entry.count, entry.pair, index, keep_queued_words(std::move(entry.words))});
      }
      entry.words = {};
    }
    touched_.clear();
  }

  uint32_t keep_queued_words(std::vector<uint32_t> words) {
    if (free_places_.empty()) {
      queued_words_.push_back(std::move(words));
      return static_cast<uint32_t>(queued_words_.size() - 1);
    }
    const uint32_t place = free_places_.back();
    free_places_.pop_back();
    queued_words_[place] = std::move(words);
    return place;
  }
  std::vector<uint32_t> take_queued_words(uint32_t place) {
    free_places_.push_back(place);
    return std::exchange(queued_words_[place], {});
  }

  void merge(const Candidate& best) {
    const auto left = static_cast<Symbol>(best.pair >> 32), right = static_cast<Symbol>(best.pair);
    const Symbol merged = add_token(left, right);
    merges_.push_back(best.pair);
    for (const uint32_t word : take_queued_words(best.words)) merge_in_word(word, left, right, merged);
    queue_touched();
  }

  Symbol add_token(Symbol left, Symbol right) {
    std::string_view tail = tokens_[right];
    const std::string& prefix = options_.continuing_subword_prefix;
    if (tail.starts_with(prefix)) tail.remove_prefix(prefix.size());
    std::string token = tokens_[left] + std::string(tail);
    const auto [it, is_new] = ids_.emplace(token, static_cast<Symbol>(tokens_.size()));
    if (is_new) {
      tokens_.push_back(std::move(token));
      lengths_.push_back(lengths_[left] + lengths_[right]);
    }
    return it->second;
  }

  // Replaces the pair everywhere in a word and counts the neighbours anew. The merged pair's own count stays as it is: it is not in the
  // queue any more, and comes back only where a merge spells one of its sides in another way.
  void merge_in_word(uint32_t index, Symbol left, Symbol right, Symbol merged) {
    Word& word = words_[index];
    Symbol* symbols = symbols_.data() + word.begin;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < word.size; ++i) {
      if (symbols[i] != left || i + 1 >= word.size || symbols[i + 1] != right) {
        symbols[kept++] = symbols[i];
        continue;
      }
      if (kept > 0) replace_pair(pair_of(symbols[kept - 1], left), symbols[kept - 1], merged, index);
      if (i + 2 < word.size) replace_pair(pair_of(right, symbols[i + 2]), merged, symbols[i + 2], index);
      symbols[kept++] = merged;
      ++i;
    }
    word.size = kept;
  }

  void replace_pair(uint64_t old_pair, Symbol left, Symbol right, uint32_t word) {
    subtract_occurrence(old_pair, word);
    const bool is_short_enough = !options_.max_token_length || lengths_[left] + lengths_[right] < *options_.max_token_length;
    if (is_short_enough) add_occurrence(pair_of(left, right), word);
  }

  // A pair that was merged twice keeps its later rank.
  std::vector<std::pair<TokenId, TokenId>> unique_merges() const {
    std::unordered_map<uint64_t, size_t> last;
    for (size_t rank = 0; rank < merges_.size(); ++rank) last[merges_[rank]] = rank;
    std::vector<std::pair<TokenId, TokenId>> out;
    out.reserve(last.size());
    for (size_t rank = 0; rank < merges_.size(); ++rank) {
      const uint64_t pair = merges_[rank];
      if (last[pair] == rank) out.emplace_back(static_cast<TokenId>(pair >> 32), static_cast<TokenId>(pair & UINT32_MAX));
    }
    return out;
  }

  const TrainerOptions& options_;
  std::vector<std::string> tokens_;  // by id
  std::unordered_map<std::string, Symbol> ids_;
  std::vector<int64_t> lengths_;  // by id: characters
  std::vector<Symbol> symbols_;   // of all words, one after the other
  std::vector<Word> words_;
  PairTable pairs_;
  std::vector<uint32_t> touched_;  // pairs with words that are not queued yet
  std::priority_queue<Candidate> queue_;
  std::vector<std::vector<uint32_t>> queued_words_;
  std::vector<uint32_t> free_places_;  // in queued_words_
  std::vector<uint64_t> merges_;       // pairs by rank
};

}  // namespace

Result<LearntMerges> learn_merges(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress) {
  Learner learner(counts, options, initial_tokens(counts, options));
  if (learner.num_tokens() > static_cast<size_t>(options.vocab_size)) {
    return Status::invalid("vocabulary size: " + std::to_string(options.vocab_size) + ", the alphabet and the special tokens alone are " +
                           std::to_string(learner.num_tokens()) + "; raise it or limit the alphabet");
  }
  return learner.run(progress);
}

}  // namespace atelier::tokenize
