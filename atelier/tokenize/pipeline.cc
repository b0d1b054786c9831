#include "atelier/tokenize/pipeline.h"

#include <algorithm>
#include <array>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

// Whether [begin, end) lies inside one of the sorted, disjoint ranges, or across ranges that touch.
bool is_covered(const std::vector<std::pair<size_t, size_t>>& ranges, Span span) {
  auto it = std::upper_bound(ranges.begin(), ranges.end(), size_t{span.begin},
                             [](size_t value, const auto& range) { return value < range.second; });
  size_t covered = span.begin;
  for (; it != ranges.end() && it->first <= covered; ++it) {
    covered = std::max(covered, it->second);
    if (covered >= span.end) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> PipelineTokenizer::create(PipelineParts parts) {
  std::unique_ptr<PipelineTokenizer> tokenizer(new PipelineTokenizer(std::move(parts)));
  ATELIER_RETURN_IF_ERROR(tokenizer->index_added_tokens());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

Status PipelineTokenizer::index_added_tokens() {
  vocab_size_ = parts_.model->vocabulary().size();
  for (size_t i = 0; i < parts_.added_tokens.size(); ++i) {
    const AddedToken& token = parts_.added_tokens[i];
    added_by_id_[token.id] = i;
    added_by_content_[token.content] = token.id;
    vocab_size_ = std::max<int64_t>(vocab_size_, int64_t{token.id} + 1);
  }
  std::vector<TokenMatcher::Entry> raw, normalized;
  for (size_t i = 0; i < parts_.added_tokens.size(); ++i) {
    const AddedToken& token = parts_.added_tokens[i];
    if (added_by_id_[token.id] != i) continue;  // stated again later
    if (!token.normalized) {
      raw.push_back({token.content, &token});
      continue;
    }
    AlignedText spelling = AlignedText::from_input(token.content);
    if (parts_.normalizer && !token.is_spelled_normalized) ATELIER_RETURN_IF_ERROR(parts_.normalizer->apply(spelling));
    if (spelling.empty()) continue;
    normalized.push_back({std::string(spelling.text()), &token});
    if (spelling.text() != token.content) normalized_spelling_[token.id] = spelling.text();
  }
  raw_matcher_ = TokenMatcher(raw);
  normalized_matcher_ = TokenMatcher(normalized);
  return {};
}

// One text on its way to ids.
class PipelineTokenizer::Encoder {
 public:
  Encoder(const PipelineTokenizer& tokenizer, std::string_view text, const EncodeOptions& options)
      : tokenizer_(tokenizer), parts_(tokenizer.parts_), text_(text), options_(options), cache_(tokenizer.caches_) {}

  Result<Encoding> encode() {
    const bool needs_sources = options_.with_offsets || options_.trusted != nullptr;
    const AlignedText whole = AlignedText::from_input(text_, needs_sources ? Alignment::kExact : Alignment::kBeginning);
    constexpr size_t kExpectedTokenBytes = 4;
    out_.ids.reserve(text_.size() / kExpectedTokenBytes);
    ATELIER_RETURN_IF_ERROR(encode_parts(whole, tokenizer_.raw_matcher_, [&](Span range) { return encode_between(whole, range); }));
    if (parts_.post_processor) {
      const auto spelling = [&](size_t i) {
        const auto [begin, end] = out_.offsets[i];
        return tokenizer_.find_added(out_.ids[i]) ? text::repair_utf8(text_.substr(begin, end - begin))
                                                  : tokenizer_.id_to_token(out_.ids[i]);
      };
      parts_.post_processor->apply(out_, {text_, spelling, options_.add_special_tokens, options_.with_offsets});
    }
    return std::move(out_);
  }

 private:
  // Cuts the added tokens of `matcher` out of `text`; `encode_rest` encodes what lies between them.
  Status encode_parts(const AlignedText& text, const TokenMatcher& matcher, FunctionRef<Status(Span)> encode_rest) {
    const auto counts = [&](const AddedToken& token, Span range) {
      if (!token.special) return true;
      return options_.trusted ? is_covered(*options_.trusted, text.source(range.begin, range.end)) : options_.parse_special;
    };
    std::vector<TextPart> parts;
    matcher.split(text.text(), counts, parts);
    for (const TextPart& part : parts) {
      if (part.token == nullptr) {
        ATELIER_RETURN_IF_ERROR(encode_rest(part.range));
        continue;
      }
      out_.ids.push_back(part.token->id);
      if (options_.with_offsets) append_offset(text.source(part.range.begin, part.range.end));
    }
    return {};
  }

  // Normalizes what lies between two added tokens and looks for those that are spelled in normalized text.
  Status encode_between(const AlignedText& text, Span range) {
    AlignedText part = text.slice(range.begin, range.end);
    if (parts_.normalizer) ATELIER_RETURN_IF_ERROR(parts_.normalizer->apply(part));
    if (tokenizer_.normalized_matcher_.empty()) return encode_plain(std::move(part));
    return encode_parts(part, tokenizer_.normalized_matcher_, [&](Span rest) { return encode_plain(part.slice(rest.begin, rest.end)); });
  }

  Status encode_plain(AlignedText text) {
    if (text.empty()) return {};
    Pieces pieces{std::move(text), {}};
    pieces.ranges.push_back({0, static_cast<uint32_t>(pieces.text.size())});
    if (parts_.pre_tokenizer) ATELIER_RETURN_IF_ERROR(parts_.pre_tokenizer->apply(pieces));
    std::array<WordCache::Key, kPiecesAtOnce> keys;
    for (size_t i = 0; i < pieces.ranges.size(); i += kPiecesAtOnce) {
      const size_t count = std::min(kPiecesAtOnce, pieces.ranges.size() - i);
      for (size_t j = 0; j < count; ++j) prepare(pieces, pieces.ranges[i + j], keys[j]);
      for (size_t j = 0; j < count; ++j) {
        const Span range = pieces.ranges[i + j];
        ATELIER_RETURN_IF_ERROR(is_word(range) ? encode_word(pieces, range, keys[j]) : encode_long_piece(pieces, range));
      }
    }
    return {};
  }

  static constexpr size_t kPiecesAtOnce = 16;  // their places in the cache are fetched together

  static bool is_word(Span range) { return range.end - range.begin <= WordCache::kMaxBytes; }

  void prepare(const Pieces& pieces, Span range, WordCache::Key& key) const {
    if (!is_word(range)) return;
    key = WordCache::key_of(pieces.text.text(), range);
    (*cache_).prefetch(key);
  }

  // Word by word, as far as the model says that this makes no difference.
  Status encode_long_piece(const Pieces& pieces, Span range) {
    const std::string_view bytes = pieces.text.text();
    while (range.begin < range.end) {
      const std::string_view piece = bytes.substr(range.begin, range.end - range.begin);
      const size_t length = pieces.are_bytes ? piece.size() : parts_.model->next_cut(piece, 0);
      const Span word{range.begin, range.begin + static_cast<uint32_t>(length)};
      if (is_word(word)) {
        ATELIER_RETURN_IF_ERROR(encode_word(pieces, word, WordCache::key_of(bytes, word)));
      } else {
        ATELIER_RETURN_IF_ERROR(run_model(pieces, word));
        append(pieces, word.begin, tokens_);
      }
      range.begin = word.end;
    }
    return {};
  }

  Status encode_word(const Pieces& pieces, Span word, const WordCache::Key& key) {
    const WordCache::Entry* entry = (*cache_).find(key);
    if (entry == nullptr) {
      ATELIER_RETURN_IF_ERROR(run_model(pieces, word));
      (*cache_).insert(key, tokens_);
      append(pieces, word.begin, tokens_);
      return {};
    }
    out_.ids.insert(out_.ids.end(), entry->ids.begin(), entry->ids.begin() + entry->num_tokens);
    for (size_t i = 0; options_.with_offsets && i < entry->num_tokens; ++i) {
      append_offset(source(pieces, word.begin + entry->begins[i], word.begin + entry->ends[i]));
    }
    return {};
  }

  Status run_model(const Pieces& pieces, Span range) {
    tokens_.clear();
    const std::string_view piece = pieces.text.text().substr(range.begin, range.end - range.begin);
    return pieces.are_bytes ? parts_.model->tokenize_bytes(piece, tokens_) : parts_.model->tokenize(piece, tokens_);
  }

  void append(const Pieces& pieces, uint32_t begin, const std::vector<ModelToken>& tokens) {
    for (const ModelToken& token : tokens) {
      out_.ids.push_back(token.id);
      if (options_.with_offsets) append_offset(source(pieces, begin + token.begin, begin + token.end));
    }
  }

  static Span source(const Pieces& pieces, size_t begin, size_t end) {
    return pieces.are_bytes ? pieces.text.source_of_bytes(begin, end) : pieces.text.source(begin, end);
  }

  void append_offset(Span source) { out_.offsets.emplace_back(source.begin, source.end); }

  const PipelineTokenizer& tokenizer_;
  const PipelineParts& parts_;
  std::string_view text_;
  const EncodeOptions& options_;
  WordCaches::Lease cache_;
  std::vector<ModelToken> tokens_;  // of the piece at hand
  Encoding out_;
};

Result<Encoding> PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > AlignedText::kMaxBytes) {
    return Status::out_of_range("tokenize: the text has " + std::to_string(text.size()) + " bytes, limit " +
                                std::to_string(AlignedText::kMaxBytes) + "; encode it in parts");
  }
  return Encoder(*this, text, options).encode();
}

bool PipelineTokenizer::can_be_cut_between_lines() const {
  const LineCut normalizer = parts_.normalizer ? parts_.normalizer->at_line_cut() : LineCut::kStable;
  const LineCut pre_tokenizer = parts_.pre_tokenizer ? parts_.pre_tokenizer->at_line_cut() : LineCut::kUnsafe;
  const bool has_border = pre_tokenizer == LineCut::kBorderAtSpace || (pre_tokenizer == LineCut::kBorder && normalizer == LineCut::kStable);
  if (normalizer == LineCut::kUnsafe || !has_border) return false;
  // No added token may reach across: neither by its own text nor by the white space that it takes along.
  return std::none_of(parts_.added_tokens.begin(), parts_.added_tokens.end(), [this](const AddedToken& token) {
    const auto spelling = normalized_spelling_.find(token.id);
    const auto has_space = [](const std::string& text) { return text.find_first_of(" \t\n\v\f\r") != std::string::npos; };
    const bool is_spaced = has_space(token.content) || (spelling != normalized_spelling_.end() && has_space(spelling->second));
    return token.lstrip || token.rstrip || is_spaced;
  });
}

Result<std::vector<TokenId>> PipelineTokenizer::encode_long(std::string_view text, const EncodeOptions& options) const {
  constexpr size_t kPartBytes = size_t{64} << 10;
  if (options.trusted != nullptr || text.size() <= kPartBytes || !can_be_cut_between_lines()) return encode_ids(text, options);
  EncodeOptions part_options = options;
  part_options.add_special_tokens = false;
  ATELIER_TRY(const auto parts, encode_batch(cut_between_lines(text, kPartBytes), part_options));
  Encoding whole;
  for (const std::vector<TokenId>& ids : parts) whole.ids.insert(whole.ids.end(), ids.begin(), ids.end());
  if (parts_.post_processor) {
    const auto spelling = [&](size_t i) { return id_to_token(whole.ids[i]); };
    parts_.post_processor->apply(whole, {text, spelling, options.add_special_tokens, /*with_offsets=*/false});
  }
  return std::move(whole.ids);
}

class PipelineTokenizer::Stream : public TokenStream {
 public:
  Stream(const PipelineTokenizer& tokenizer, bool skip_special)
      : tokenizer_(tokenizer), skip_special_(skip_special), chain_(tokenizer.parts_.decoders) {}

  Status push(TokenId id, std::string& out) override {
    if (const AddedToken* added = tokenizer_.find_added(id)) {
      if (skip_special_ && added->special) return {};
      const auto spelling = tokenizer_.normalized_spelling_.find(id);
      return chain_.push(spelling == tokenizer_.normalized_spelling_.end() ? added->content : spelling->second, out);
    }
    if (const std::string* token = tokenizer_.parts_.model->vocabulary().token(id)) return chain_.push(*token, out);
    return Status::out_of_range("tokenize: token id " + std::to_string(id) + " is outside the vocabulary of " +
                                std::to_string(tokenizer_.vocab_size()) + " tokens");
  }
  Status finish(std::string& out) override { return chain_.finish(out); }

 private:
  const PipelineTokenizer& tokenizer_;
  bool skip_special_;
  DecodeChain chain_;
};

std::unique_ptr<TokenStream> PipelineTokenizer::start_decoding(bool skip_special) const {
  return std::make_unique<Stream>(*this, skip_special);
}

Result<std::string> PipelineTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  Stream stream(*this, skip_special);
  std::string out;
  for (const TokenId id : ids) ATELIER_RETURN_IF_ERROR(stream.push(id, out));
  ATELIER_RETURN_IF_ERROR(stream.finish(out));
  return out;
}

std::optional<TokenId> PipelineTokenizer::token_to_id(std::string_view token) const {
  const auto added = added_by_content_.find(token);
  return added != added_by_content_.end() ? std::optional<TokenId>(added->second) : parts_.model->vocabulary().find(token);
}

std::string PipelineTokenizer::id_to_token(TokenId id) const {
  if (const AddedToken* added = find_added(id)) return added->content;
  const std::string* token = parts_.model->vocabulary().token(id);
  return token != nullptr ? *token : "";
}

bool PipelineTokenizer::is_special(TokenId id) const {
  const AddedToken* added = find_added(id);
  return added != nullptr && added->special;
}

const AddedToken* PipelineTokenizer::find_added(TokenId id) const {
  const auto it = added_by_id_.find(id);
  return it == added_by_id_.end() ? nullptr : &parts_.added_tokens[it->second];
}

}  // namespace atelier::tokenize
