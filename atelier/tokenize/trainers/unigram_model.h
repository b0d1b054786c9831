// A unigram language model of words while it is learnt (Kudo 2018, arXiv:1804.10959): pieces with probabilities, expectation-maximisation
// and pruning, as SentencePiece has them.
//
// All threads of parallel/ share the words. What they sum are integers (expected counts in units of 2⁻²⁰), so that the result does not
// depend on how words were shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/tokenize/byte_trie.h"
#include "atelier/tokenize/trainers/seed_pieces.h"

namespace atelier::tokenize {

struct UnigramPiece {
  std::string text;
  double score = 0;           // log-probability
  bool is_character = false;  // never removed: with all characters any word can be spelled
};

class UnigramModel {
 public:
  // `words` must outlive the model, and be made of the first `num_characters` of `seeds`.
  UnigramModel(const std::vector<CountedWord>& words, std::vector<SeedPiece> seeds, size_t num_characters);

  // One step of expectation-maximisation: sums over all segmentations of every word (forward-backward), then probabilities by the
  // digamma of expected counts (Liang and Klein 2007: a sparse prior). Pieces expected less than half a time are out.
  void maximize();

  // Keeps `num_pieces`, those whose removal would cost the corpus the most likelihood, their text being spelled by the next best pieces.
  void prune(size_t num_pieces);

  size_t num_pieces() const;                                           // not counting those that maximize() put out
  const std::vector<UnigramPiece>& pieces() const { return pieces_; }  // after prune() or remove_dead()
  void remove_dead();

 private:
  struct Scratch;
  static constexpr double kDead = -1e300;

  void index_pieces();
  void add_expectations(std::string_view word, double count, Scratch& scratch) const;
  void count_best(std::string_view word, int64_t count, Scratch& scratch) const;
  double find_best(std::string_view word, int32_t excluded, Scratch& scratch) const;
  std::vector<int64_t> sum_over_words(bool only_best) const;
  double loss_without(int32_t piece, const std::vector<int64_t>& counts, double sum, Scratch& scratch) const;

  const std::vector<CountedWord>& words_;
  std::vector<UnigramPiece> pieces_;
  std::vector<double> probabilities_;  // by piece; 0: out
  ByteTrie trie_;                      // values: index of a piece
};

}  // namespace atelier::tokenize
