#include "atelier/tokenize/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr TokenId kUnknown = -1;

bool is_set(const std::vector<bool>& flags, TokenId id) { return static_cast<size_t>(id) < flags.size() && flags[static_cast<size_t>(id)]; }

}  // namespace

Result<std::unique_ptr<Unigram>> Unigram::create(Vocabulary vocabulary, std::vector<double> scores, UnigramOptions options,
                                                 const std::string& name) {
  if (static_cast<int64_t>(scores.size()) != vocabulary.size()) {
    return Status::corrupt(name + ": " + std::to_string(scores.size()) + " scores for " + std::to_string(vocabulary.size()) + " tokens");
  }
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); })) {
    return Status::corrupt(name + ": a score is not a number");
  }
  if (options.unk_id && !vocabulary.contains_id(*options.unk_id)) {
    return Status::corrupt(name + ": unk_id " + std::to_string(*options.unk_id) + " is not in the vocabulary");
  }
  return std::unique_ptr<Unigram>(new Unigram(std::move(vocabulary), std::move(scores), std::move(options)));
}

Unigram::Unigram(Vocabulary vocabulary, std::vector<double> scores, UnigramOptions options)
    : Model(std::move(vocabulary)), scores_(std::move(scores)), options_(std::move(options)) {
  std::vector<std::pair<std::string_view, int32_t>> entries;
  min_score_ = std::numeric_limits<double>::infinity();
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const std::string* token = vocabulary_.token(id);
    if (token == nullptr || is_set(options_.is_unmatchable, id)) continue;
    min_score_ = std::min(min_score_, scores_[static_cast<size_t>(id)]);
    if (!token->empty()) entries.emplace_back(*token, id);
  }
  trie_ = ByteTrie(std::move(entries));
  if (options_.byte_fallback) byte_tokens_ = find_byte_tokens(vocabulary_);
}

// A user-defined piece costs nothing and earns a little by its length, where every other piece costs: no other segmentation of the same
// text is better.
template <typename Score>
Score Unigram::score_of(TokenId id, size_t num_bytes) const {
  if (is_set(options_.is_user_defined, id)) return static_cast<Score>(0.1 * (static_cast<double>(num_bytes) - 1));
  return static_cast<Score>(scores_[static_cast<size_t>(id)]);
}

// Score is the type in which sums are kept. In float32 they lose their last digits as they grow: whenever the best path to where the next
// token starts has passed kResetScore, the sums still in use are taken back by it.
template <typename Score>
std::vector<Unigram::Node> Unigram::find_best_paths(std::string_view piece) const {
  constexpr bool kResets = std::is_same_v<Score, float>;
  constexpr Score kResetScore = 100'000;
  std::vector<Node> best(piece.size() + 1);  // by the byte where a path ends
  std::vector<Score> scores(piece.size() + 1);
  const auto unknown_score = static_cast<Score>(static_cast<Score>(min_score_) - static_cast<Score>(kUnknownPenalty));
  size_t furthest_end = 0;
  const auto offer = [&](size_t start, size_t end, Score token_score, TokenId id) {
    furthest_end = std::max(furthest_end, end);
    const Score score = token_score + scores[start];
    if (best[end].start != kNotReached && score <= scores[end]) return;
    best[end] = {static_cast<uint32_t>(start), id};
    scores[end] = score;
  };
  for (size_t start = 0, length = 0; start < piece.size(); start += length) {
    if (kResets && std::abs(scores[start]) > kResetScore) {
      const Score offset = scores[start];
      for (size_t end = start; end <= furthest_end; ++end) scores[end] -= offset;
    }
    length = text::utf8_length(piece[start]);
    bool has_single_character = false;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t i = start; i < piece.size(); ++i) {
      node = trie_.step(node, static_cast<unsigned char>(piece[i]));
      if (node == ByteTrie::kRoot) break;
      const TokenId id = trie_.value(node);
      if (id == ByteTrie::kNoValue) continue;
      offer(start, i + 1, score_of<Score>(id, i + 1 - start), id);
      has_single_character |= i + 1 - start == length;
    }
    if (!has_single_character) offer(start, start + length, unknown_score, options_.unk_id.value_or(kUnknown));
  }
  return best;
}

Status Unigram::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  const std::vector<Node> best = options_.single_precision ? find_best_paths<float>(piece) : find_best_paths<double>(piece);
  std::vector<ModelToken> reversed;
  const TokenId unknown = options_.unk_id.value_or(kUnknown);
  for (size_t end = piece.size(); end > 0; end = best[end].start) {
    const uint32_t begin = best[end].start;
    if (best[end].id == unknown && !reversed.empty() && reversed.back().id == unknown) {
      reversed.back().begin = begin;
    } else {
      reversed.push_back({best[end].id, begin, static_cast<uint32_t>(end)});
    }
  }
  for (auto token = reversed.rbegin(); token != reversed.rend(); ++token) {
    if (token->id == unknown) {
      ATELIER_RETURN_IF_ERROR(append_unknown(piece, token->begin, token->end, out));
    } else {
      out.push_back(*token);
    }
  }
  return {};
}

Status Unigram::append_unknown(std::string_view piece, uint32_t begin, uint32_t end, std::vector<ModelToken>& out) const {
  // The unknown token may itself be spelled out: "<unk>".
  const std::optional<TokenId> spelled = vocabulary_.find(piece.substr(begin, end - begin));
  if (spelled && !is_set(options_.is_unmatchable, *spelled)) {
    out.push_back({*spelled, begin, end});
    return {};
  }
  if (byte_tokens_) {
    for (uint32_t i = begin; i < end; ++i) out.push_back({(*byte_tokens_)[static_cast<unsigned char>(piece[i])], begin, end});
    return {};
  }
  if (!options_.unk_id) return Status::corrupt("the text has characters outside the vocabulary, which has no unknown token");
  out.push_back({*options_.unk_id, begin, end});
  return {};
}

}  // namespace atelier::tokenize
