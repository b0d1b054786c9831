#include "atelier/tokenize/concat_bpe.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr TokenId kNoToken = -1;

bool is_set(const std::vector<bool>& flags, TokenId id) { return static_cast<size_t>(id) < flags.size() && flags[static_cast<size_t>(id)]; }

}  // namespace

ConcatBpe::ConcatBpe(Vocabulary vocabulary, std::vector<uint32_t> ranks, ConcatBpeOptions options)
    : Model(std::move(vocabulary)), ranks_(std::move(ranks)), options_(std::move(options)) {
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    if (const std::string* token = vocabulary_.token(id)) longest_token_ = std::max(longest_token_, token->size());
  }
  if (options_.byte_fallback) byte_tokens_ = find_byte_tokens(vocabulary_);
  if (!options_.takes_whole_pieces && find(kMetaSpace)) borders_ = WordBorders(vocabulary_, byte_tokens_ || find("\n"));
}

std::vector<uint32_t> ConcatBpe::ranks_of_scores(const std::vector<float>& scores) {
  std::vector<uint32_t> order(scores.size()), ranks(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  for (size_t i = 1; i < order.size(); ++i) ranks[order[i]] = ranks[order[i - 1]] + (scores[order[i]] < scores[order[i - 1]] ? 1 : 0);
  return ranks;
}

std::optional<TokenId> ConcatBpe::find(std::string_view spelling) const {
  const auto id = vocabulary_.find(spelling);
  return id && !is_set(options_.is_unmatchable, *id) ? id : std::nullopt;
}

Status ConcatBpe::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  if (options_.takes_whole_pieces) {
    if (const auto id = find(piece)) {
      out.push_back({*id, 0, static_cast<uint32_t>(piece.size())});
      return {};
    }
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  for (size_t i = 0, length = 0; i < piece.size(); i += length) {
    length = text::utf8_length(piece[i]);
    symbols.push_back({find(piece.substr(i, length)).value_or(kNoToken), static_cast<uint32_t>(i), static_cast<uint32_t>(i + length)});
  }
  std::vector<SplitPoint> splits;  // how unused tokens came about
  merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) -> Merge {
    if (right.end - left.begin > longest_token_) return {};
    const auto id = find(piece.substr(left.begin, right.end - left.begin));
    if (!id) return {};
    if (is_set(options_.is_unused, *id)) splits.push_back({left.begin, left.end, right.end});
    return {ranks_[static_cast<size_t>(*id)], *id};
  });
  std::sort(splits.begin(), splits.end(), [](const SplitPoint& a, const SplitPoint& b) {
    return std::tie(a.begin, a.end, a.middle) < std::tie(b.begin, b.end, b.middle);
  });
  const size_t num_before = out.size();
  for (const Symbol& symbol : symbols) append(piece, symbol, splits, out);
  return resolve_unknown(piece, num_before, out);
}

// A token that is not unused, or the parts that an unused one was merged from.
void ConcatBpe::append(std::string_view piece, const Symbol& symbol, const std::vector<SplitPoint>& splits,
                       std::vector<ModelToken>& out) const {
  std::vector<Symbol> pending = {symbol};
  while (!pending.empty()) {
    const Symbol next = pending.back();
    pending.pop_back();
    const auto split = std::lower_bound(splits.begin(), splits.end(), next, [](const SplitPoint& a, const Symbol& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    const bool is_merged = split != splits.end() && split->begin == next.begin && split->end == next.end;
    if (!is_merged || !is_set(options_.is_unused, next.id)) {
      out.push_back({next.id, next.begin, next.end});
      continue;
    }
    const auto part = [&](uint32_t begin, uint32_t end) {
      return Symbol{find(piece.substr(begin, end - begin)).value_or(kNoToken), begin, end};
    };
    pending.push_back(part(split->middle, split->end));
    pending.push_back(part(split->begin, split->middle));
  }
}

// Symbols without a token become bytes, or one unknown token per run.
Status ConcatBpe::resolve_unknown(std::string_view piece, size_t num_before, std::vector<ModelToken>& out) const {
  const auto begin = out.begin() + static_cast<ptrdiff_t>(num_before);
  const auto is_unknown = [](const ModelToken& token) { return token.id == kNoToken; };
  if (std::none_of(begin, out.end(), is_unknown)) return {};
  std::vector<ModelToken> resolved;
  bool follows_unknown = false;
  for (auto token = begin; token != out.end(); ++token) {
    if (!is_unknown(*token)) {
      resolved.push_back(*token);
    } else if (byte_tokens_) {
      for (uint32_t i = token->begin; i < token->end; ++i) {
        resolved.push_back({(*byte_tokens_)[static_cast<unsigned char>(piece[i])], token->begin, token->end});
      }
    } else if (!options_.unk_id) {
      return Status::corrupt("the text has characters outside the vocabulary, which has no unknown token");
    } else if (follows_unknown) {
      resolved.back().end = token->end;
    } else {
      resolved.push_back({*options_.unk_id, token->begin, token->end});
    }
    follows_unknown = is_unknown(*token);
  }
  out.resize(num_before);
  out.insert(out.end(), resolved.begin(), resolved.end());
  return {};
}

}  // namespace atelier::tokenize
