#include "atelier/tokenize/pre_tokenizer.h"

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/pre_tokenizers/byte_level.h"

namespace atelier::tokenize {
namespace {

struct Part {
  Span range;
  bool is_delimiter;
};

// Cuts [0, size) into alternating runs of matches and of what lies between them.
Status cut(std::string_view piece, FindMatches find, bool invert, std::vector<Part>& parts) {
  parts.clear();
  size_t done = 0;
  const auto add = [&](size_t begin, size_t end, bool is_match) {
    parts.push_back({{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, is_match != invert});
  };
  ATELIER_RETURN_IF_ERROR(find(piece, [&](size_t begin, size_t end) {
    if (done < begin) add(done, begin, false);
    add(begin, end, true);
    done = end;
  }));
  if (done < piece.size()) add(done, piece.size(), false);
  return {};
}

void merge_contiguous(std::vector<Part>& parts) {
  size_t kept = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (kept > 0 && parts[kept - 1].is_delimiter == parts[i].is_delimiter) {
      parts[kept - 1].range.end = parts[i].range.end;
    } else {
      parts[kept++] = parts[i];
    }
  }
  parts.resize(kept);
}

// A delimiter joins its neighbour, but not a neighbour that is a delimiter itself.
void merge_with_previous(std::vector<Part>& parts) {
  size_t kept = 0;
  bool follows_delimiter = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part part = parts[i];
    if (part.is_delimiter && !follows_delimiter && kept > 0) {
      parts[kept - 1].range.end = part.range.end;
    } else {
      parts[kept++] = part;
    }
    follows_delimiter = part.is_delimiter;
  }
  parts.resize(kept);
}

void merge_with_next(std::vector<Part>& parts) {
  size_t kept = parts.size();
  bool precedes_delimiter = false;
  for (size_t i = parts.size(); i-- > 0;) {
    const Part part = parts[i];
    if (part.is_delimiter && !precedes_delimiter && kept < parts.size()) {
      parts[kept].range.begin = part.range.begin;
    } else {
      parts[--kept] = part;
    }
    precedes_delimiter = part.is_delimiter;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(kept));
}

}  // namespace

Result<SplitBehavior> parse_split_behavior(const std::string& name) {
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return Status::invalid("behavior " + quoted(name) + " is none of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

Status split_pieces(Pieces& pieces, FindMatches find, SplitBehavior behavior, bool invert) {
  std::vector<Span> out;
  std::vector<Part> parts;
  for (const Span range : pieces.ranges) {
    const std::string_view piece = pieces.text.text().substr(range.begin, range.end - range.begin);
    ATELIER_RETURN_IF_ERROR(cut(piece, find, invert, parts));
    if (behavior == SplitBehavior::kContiguous) merge_contiguous(parts);
    if (behavior == SplitBehavior::kMergedWithPrevious) merge_with_previous(parts);
    if (behavior == SplitBehavior::kMergedWithNext) merge_with_next(parts);
    for (const Part& part : parts) {
      const bool is_removed = part.is_delimiter && behavior == SplitBehavior::kRemoved;
      if (is_removed || part.range.begin == part.range.end) continue;
      out.push_back({range.begin + part.range.begin, range.begin + part.range.end});
    }
  }
  pieces.ranges = std::move(out);
  return {};
}

Status split_at_characters(Pieces& pieces, const CharacterKind& kind, SplitBehavior behavior) {
  return split_pieces(
      pieces,
      [&](std::string_view piece, MatchVisitor visit) {
        for (size_t i = kind.find(piece, 0, piece.size()); i < piece.size(); i = kind.find(piece, i, piece.size())) {
          const size_t end = i + text::utf8_length(piece[i]);
          visit(i, end);
          i = end;
        }
        return Status{};
      },
      behavior);
}

void rewrite_pieces(Pieces& pieces, FunctionRef<void(const AlignedText& from, Span range, AlignedText& to)> rewrite) {
  AlignedText to = pieces.text.start_rewrite(pieces.text.size() + pieces.text.size() / 4);
  for (Span& range : pieces.ranges) {
    const auto begin = static_cast<uint32_t>(to.size());
    rewrite(pieces.text, range, to);
    range = {begin, static_cast<uint32_t>(to.size())};
  }
  std::erase_if(pieces.ranges, [](Span range) { return range.begin == range.end; });
  pieces.text = std::move(to);
}

// Stages after one that has a border see the two sides apart.
LineCut PreTokenizerSequence::at_line_cut() const {
  for (const auto& step : steps_) {
    if (step->at_line_cut() != LineCut::kStable) return step->at_line_cut();
  }
  return LineCut::kStable;
}

Status PreTokenizerSequence::apply(Pieces& pieces) const {
  for (const auto& step : steps_) {
    spell_out_bytes(pieces);
    ATELIER_RETURN_IF_ERROR(step->apply(pieces));
  }
  return {};
}

}  // namespace atelier::tokenize
