#include "atelier/tokenize/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
  max_score_ = -min_score_;
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const std::string* token = vocabulary_.token(id);
    if (token == nullptr || is_set(options_.is_unmatchable, id)) continue;
    min_score_ = std::min(min_score_, scores_[static_cast<size_t>(id)]);
    max_score_ = std::max(max_score_, scores_[static_cast<size_t>(id)]);
    if (!token->empty()) entries.emplace_back(*token, id);
  }
  trie_ = ByteTrie(std::move(entries));
  if (options_.byte_fallback) byte_tokens_ = find_byte_tokens(vocabulary_);
}

double Unigram::add(double a, double b) const { return options_.single_precision ? static_cast<double>(static_cast<float>(a + b)) : a + b; }

// A user-defined piece scores just below the best score times its length: no segmentation of the same text beats it.
double Unigram::score_of(TokenId id, size_t num_characters) const {
  if (!is_set(options_.is_user_defined, id)) return scores_[static_cast<size_t>(id)];
  return static_cast<double>(static_cast<float>(static_cast<double>(num_characters) * max_score_ - 0.1));
}

std::vector<Unigram::Node> Unigram::find_best_paths(std::string_view piece) const {
  std::vector<Node> best(piece.size() + 1);  // by the byte where a path ends
  const double unknown_score = add(min_score_, -kUnknownPenalty);
  const auto offer = [&](size_t start, size_t end, double token_score, TokenId id) {
    const double score = add(token_score, best[start].score);
    if (best[end].start >= 0 && score <= best[end].score) return;
    best[end] = {score, static_cast<int64_t>(start), id};
  };
  for (size_t start = 0, length = 0; start < piece.size(); start += length) {
    length = text::utf8_length(piece[start]);
    bool has_single_character = false;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t i = start; i < piece.size(); ++i) {
      node = trie_.step(node, static_cast<unsigned char>(piece[i]));
      if (node == ByteTrie::kRoot) break;
      const TokenId id = trie_.value(node);
      if (id == ByteTrie::kNoValue) continue;
      offer(start, i + 1, score_of(id, i + 1 - start), id);
      has_single_character |= i + 1 - start == length;
    }
    if (!has_single_character) offer(start, start + length, unknown_score, options_.unk_id.value_or(kUnknown));
  }
  return best;
}

Status Unigram::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  const std::vector<Node> best = find_best_paths(piece);
  std::vector<ModelToken> reversed;
  const TokenId unknown = options_.unk_id.value_or(kUnknown);
  for (size_t end = piece.size(); end > 0; end = static_cast<size_t>(best[end].start)) {
    const auto begin = static_cast<uint32_t>(best[end].start);
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
