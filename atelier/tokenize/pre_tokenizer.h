// Pre-tokenizers cut text into the pieces that a model sees one at a time, and may rewrite it on the way (byte-level characters,
// "▁" for spaces). Their names and fields are those of tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/character_kind.h"
#include "atelier/tokenize/line_cut.h"

namespace atelier::tokenize {

// A text and its pieces: sorted, disjoint, not empty; what lies between them is dropped.
struct Pieces {
  AlignedText text;
  std::vector<Span> ranges;
  bool are_bytes = false;  // the vocabulary spells them in byte-level characters
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual Status apply(Pieces& pieces) const = 0;
  virtual LineCut at_line_cut() const { return LineCut::kUnsafe; }
};

// What becomes of the matches of a delimiter.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
Result<SplitBehavior> parse_split_behavior(const std::string& name);

// Finds delimiters in one piece: calls `visit(begin, end)` for each, in order, not overlapping.
using MatchVisitor = FunctionRef<void(size_t, size_t)>;
using FindMatches = FunctionRef<Status(std::string_view piece, MatchVisitor visit)>;

// Splits every piece at the matches of `find`; `invert` takes what lies between matches as the delimiters.
Status split_pieces(Pieces& pieces, FindMatches find, SplitBehavior behavior, bool invert = false);

// Splits at every character of a kind.
Status split_at_characters(Pieces& pieces, const CharacterKind& kind, SplitBehavior behavior);

// Writes every piece anew: `rewrite(from, range, to)` appends the new text of the piece `range` of `from` to `to`.
void rewrite_pieces(Pieces& pieces, FunctionRef<void(const AlignedText& from, Span range, AlignedText& to)> rewrite);

// One pre-tokenizer after the other.
class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  Status apply(Pieces& pieces) const override;
  LineCut at_line_cut() const override;

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

// The `pre_tokenizer` object of a tokenizer.json. `name` stands in error messages.
Result<std::unique_ptr<PreTokenizer>> create_pre_tokenizer(const Json& json, const std::string& name, int depth = 0);

}  // namespace atelier::tokenize
