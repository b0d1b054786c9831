#include "atelier/tokenize/bpe.h"

#include <bit>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {

void MergeTable::reserve(size_t num_merges) {
  const size_t size = std::bit_ceil(std::max<size_t>(2 * num_merges, 16));
  slots_.assign(size, Slot{});
  shift_ = 64 - std::countr_zero(size);
}

void MergeTable::add(TokenId left, TokenId right, Merge merge) {
  size_t i = index(left, right);
  while (slots_[i].left >= 0 && !(slots_[i].left == left && slots_[i].right == right)) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = {left, right, merge};
}

Result<std::unique_ptr<Bpe>> Bpe::create(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>>& merges,
                                         BpeOptions options, const std::string& name) {
  std::unique_ptr<Bpe> bpe(new Bpe(std::move(vocabulary), std::move(options)));
  // An unknown token that the vocabulary lacks is an error only once it is needed (tokenize).
  if (bpe->options_.unk_token) bpe->unk_id_ = bpe->vocabulary_.find(*bpe->options_.unk_token);
  ATELIER_RETURN_IF_ERROR(bpe->add_merges(merges, name));
  return bpe;
}

std::unique_ptr<Bpe> Bpe::from_ranks(Vocabulary& vocabulary) {
  if (!find_byte_characters(vocabulary)) return nullptr;
  BpeOptions options;
  options.ignore_merges = true;
  std::unique_ptr<Bpe> bpe(new Bpe(std::move(vocabulary), std::move(options)));
  if (bpe->recover_pairs()) return bpe;
  vocabulary = std::move(bpe->vocabulary_);
  return nullptr;
}

// A token that comes about in some text comes about by the merges that it has when it stands alone, since none of them crosses its
// border; so there is one last pair for each, and no other pair of the same spelling is ever merged. With the merges of all lower
// ranks the token must have become two: that is its pair. (Where a part has a higher rank than the whole, it has not.)
bool Bpe::recover_pairs() {
  merges_.reserve(static_cast<size_t>(vocabulary_.num_tokens()));
  std::vector<Symbol> symbols;
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const std::string* token = vocabulary_.token(id);
    if (token == nullptr) continue;
    symbols.clear();
    split_into_symbols(*token, symbols);
    if (symbols.size() == 1) continue;
    merge_symbols(symbols, [this](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
    if (symbols.size() != 2) return false;
    merges_.add(symbols[0].id, symbols[1].id, {static_cast<uint32_t>(id), id});
  }
  return true;
}

Status Bpe::add_merges(const std::vector<std::pair<std::string, std::string>>& merges, const std::string& name) {
  merges_.reserve(merges.size());
  const size_t prefix_size = options_.continuing_subword_prefix.size();
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    if (right.size() < prefix_size) {
      return Status::corrupt(name + ": merge " + std::to_string(rank) + ": " + quoted(right) + " is shorter than the prefix");
    }
    const std::string whole = left + right.substr(prefix_size);
    const auto left_id = vocabulary_.find(left), right_id = vocabulary_.find(right), id = vocabulary_.find(whole);
    if (!left_id || !right_id || !id) {
      return Status::corrupt(name + ": merge " + std::to_string(rank) + ": " +
                             quoted(!left_id    ? left
                                    : !right_id ? right
                                                : whole) +
                             " is not in the vocabulary");
    }
    merges_.add(*left_id, *right_id, {static_cast<uint32_t>(rank), *id});
  }
  return {};
}

Bpe::Bpe(Vocabulary vocabulary, BpeOptions options) : Model(std::move(vocabulary)), options_(std::move(options)) {
  const bool is_plain = options_.continuing_subword_prefix.empty() && options_.end_of_word_suffix.empty();
  if (!is_plain) return;
  if (!options_.ignore_merges) {
    const bool has_line_end = vocabulary_.find("\n") || (options_.byte_fallback && vocabulary_.find(byte_token('\n')));
    borders_ = WordBorders(vocabulary_, has_line_end);
    // The spelling of these tokens is not the text that they stand for.
    if ((options_.byte_fallback || options_.unk_token) && !borders_.are_everywhere()) borders_ = {};
  }
  byte_ids_ = find_byte_characters(vocabulary_);
}

Status Bpe::tokenize(std::string_view piece, std::vector<ModelToken>& out) const {
  if (options_.ignore_merges) {
    if (const auto id = vocabulary_.find(piece)) {
      out.push_back({*id, 0, static_cast<uint32_t>(piece.size())});
      return {};
    }
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  split_into_symbols(piece, symbols);
  return merge(symbols, out);
}

Status Bpe::tokenize_bytes(std::string_view piece, std::vector<ModelToken>& out) const {
  if (!byte_ids_) return Model::tokenize_bytes(piece, out);
  if (options_.ignore_merges) {
    if (const auto id = vocabulary_.find(encode_byte_level(piece))) {
      out.push_back({*id, 0, static_cast<uint32_t>(piece.size())});
      return {};
    }
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  for (uint32_t i = 0; i < piece.size(); ++i) symbols.push_back({(*byte_ids_)[static_cast<unsigned char>(piece[i])], i, i + 1});
  return merge(symbols, out);
}

// Merges `symbols` and appends what they become.
Status Bpe::merge(std::vector<Symbol>& symbols, std::vector<ModelToken>& out) const {
  merge_symbols(symbols, [this](const Symbol& left, const Symbol& right) { return merges_.find(left.id, right.id); });
  for (const Symbol& symbol : symbols) {
    if (symbol.id < 0) return Status::corrupt("the unknown token " + quoted(*options_.unk_token) + " is not in the vocabulary");
    out.push_back({symbol.id, symbol.begin, symbol.end});
  }
  return {};
}

void Bpe::split_into_symbols(std::string_view piece, std::vector<Symbol>& symbols) const {
  bool follows_unknown = false;
  for (size_t i = 0, length = 0; i < piece.size(); i += length) {
    length = text::utf8_length(piece[i]);
    const std::string_view character = piece.substr(i, length);
    const auto begin = static_cast<uint32_t>(i), end = static_cast<uint32_t>(i + length);
    const bool is_first = i == 0, is_last = end == piece.size();
    if (const auto id = find_character(character, is_first, is_last)) {
      symbols.push_back({*id, begin, end});
      follows_unknown = false;
      continue;
    }
    const std::string spelled =
        (is_first ? "" : options_.continuing_subword_prefix) + std::string(character) + (is_last ? options_.end_of_word_suffix : "");
    if (options_.byte_fallback && append_bytes(spelled, begin, symbols)) {
      follows_unknown = false;
      continue;
    }
    if (!options_.unk_token) continue;
    if (follows_unknown && options_.fuse_unk) {
      symbols.back().end = end;
    } else {
      symbols.push_back({unk_id_.value_or(-1), begin, end});
    }
    follows_unknown = true;
  }
}

std::optional<TokenId> Bpe::find_character(std::string_view character, bool is_first, bool is_last) const {
  const bool has_prefix = !is_first && !options_.continuing_subword_prefix.empty();
  const bool has_suffix = is_last && !options_.end_of_word_suffix.empty();
  if (!has_prefix && !has_suffix) return vocabulary_.find(character);
  std::string spelled = has_prefix ? options_.continuing_subword_prefix : "";
  spelled += character;
  if (has_suffix) spelled += options_.end_of_word_suffix;
  return vocabulary_.find(spelled);
}

bool Bpe::append_bytes(std::string_view spelled, uint32_t begin, std::vector<Symbol>& symbols) const {
  const size_t num_before = symbols.size();
  for (size_t i = 0; i < spelled.size(); ++i) {
    const auto id = vocabulary_.find(byte_token(static_cast<unsigned char>(spelled[i])));
    if (!id) {
      symbols.resize(num_before);
      return false;
    }
    const auto at = static_cast<uint32_t>(begin + i);
    symbols.push_back({*id, at, at + 1});
  }
  return true;
}

}  // namespace atelier::tokenize
