#include "atelier/tokenize/pipeline.h"

#include <algorithm>

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
    normalized.push_back({spelling.text(), &token});
    if (spelling.text() != token.content) normalized_spelling_[token.id] = spelling.text();
  }
  raw_matcher_ = TokenMatcher(raw);
  normalized_matcher_ = TokenMatcher(normalized);
  return {};
}

Result<Encoding> PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > AlignedText::kMaxBytes) {
    return Status::out_of_range("tokenize: the text has " + std::to_string(text.size()) + " bytes, limit " +
                                std::to_string(AlignedText::kMaxBytes) + "; encode it in parts");
  }
  const auto counts = [&](const AddedToken& token, Span source) {
    if (!token.special) return true;
    return options.trusted ? is_covered(*options.trusted, source) : options.parse_special;
  };
  const AlignedText whole = AlignedText::from_input(text);
  const auto counts_here = [&](const AddedToken& token, Span range) { return counts(token, whole.source(range.begin, range.end)); };
  std::vector<TextPart> parts;
  raw_matcher_.split(whole.text(), counts_here, parts);

  Encoding encoding;
  for (const TextPart& part : parts) {
    if (part.token == nullptr) {
      ATELIER_RETURN_IF_ERROR(encode_between(whole, part.range, counts, encoding));
      continue;
    }
    const Span source = whole.source(part.range.begin, part.range.end);
    encoding.ids.push_back(part.token->id);
    encoding.offsets.emplace_back(source.begin, source.end);
  }
  if (parts_.post_processor) {
    const auto spelling = [&](size_t i) {
      const auto [begin, end] = encoding.offsets[i];
      return find_added(encoding.ids[i]) ? text::repair_utf8(text.substr(begin, end - begin)) : id_to_token(encoding.ids[i]);
    };
    parts_.post_processor->apply(encoding, {text, spelling, options.add_special_tokens});
  }
  return encoding;
}

// Normalizes what lies between two added tokens and looks for those that are spelled in normalized text.
Status PipelineTokenizer::encode_between(const AlignedText& text, Span range, SpecialFilter counts, Encoding& out) const {
  AlignedText part = text.slice(range.begin, range.end);
  if (parts_.normalizer) ATELIER_RETURN_IF_ERROR(parts_.normalizer->apply(part));
  if (normalized_matcher_.empty()) return encode_plain(std::move(part), out);
  const auto counts_here = [&](const AddedToken& token, Span match) { return counts(token, part.source(match.begin, match.end)); };
  std::vector<TextPart> parts;
  normalized_matcher_.split(part.text(), counts_here, parts);
  for (const TextPart& piece : parts) {
    if (piece.token == nullptr) {
      ATELIER_RETURN_IF_ERROR(encode_plain(part.slice(piece.range.begin, piece.range.end), out));
      continue;
    }
    const Span source = part.source(piece.range.begin, piece.range.end);
    out.ids.push_back(piece.token->id);
    out.offsets.emplace_back(source.begin, source.end);
  }
  return {};
}

Status PipelineTokenizer::encode_plain(AlignedText text, Encoding& out) const {
  if (text.empty()) return {};
  Pieces pieces{std::move(text), {}};
  pieces.ranges.push_back({0, static_cast<uint32_t>(pieces.text.size())});
  if (parts_.pre_tokenizer) ATELIER_RETURN_IF_ERROR(parts_.pre_tokenizer->apply(pieces));
  std::vector<ModelToken> tokens;
  for (const Span range : pieces.ranges) {
    tokens.clear();
    const std::string_view piece = std::string_view(pieces.text.text()).substr(range.begin, range.end - range.begin);
    ATELIER_RETURN_IF_ERROR(parts_.model->tokenize(piece, tokens));
    for (const ModelToken& token : tokens) {
      const Span source = pieces.text.source(range.begin + token.begin, range.begin + token.end);
      out.ids.push_back(token.id);
      out.offsets.emplace_back(source.begin, source.end);
    }
  }
  return {};
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
