// Texts and pairs of texts as an encoder reads them: ids with the special tokens around, segments, cut to what the model takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/models/model.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::models {

struct EncoderInput {
  std::vector<int32_t> ids;
  std::vector<int32_t> segments;                   // as many, or none where all are 0
  std::vector<std::pair<size_t, size_t>> offsets;  // bytes of the text that a token stands for; of the second text in a pair; empty ranges
                                                   // for special tokens and the first text of a pair
  int64_t second_begin = 0, second_end = 0;        // tokens of the second text
};

// One text, its end cut off where it has more than `max_length` tokens with the special ones.
EncoderInput frame_text(const tokenize::TextFrame& frame, std::vector<int32_t> ids, int64_t max_length);

// A pair; what is too long loses tokens at the end of the longer text, one by one (transformers' "longest_first"), or of the second text
// only. InvalidArgument where the tokenizer has no form for pairs or max_length leaves no room.
struct PairOptions {
  bool is_second_cut_only = false;
};
Result<EncoderInput> encode_pair(const tokenize::Tokenizer& tokenizer, std::string_view first, std::string_view second, int64_t max_length,
                                 const PairOptions& options = {});
// A pair whose second text is read through as many windows as it takes, each behind the whole first text; `shared` tokens of the second
// text stand in two neighbours (Devlin et al. 2018's run_squad.py). InvalidArgument as above, and where windows could not move on.
Result<std::vector<EncoderInput>> encode_windows(const tokenize::Tokenizer& tokenizer, std::string_view first, std::string_view second,
                                                 int64_t max_length, int64_t shared);

// One text with offsets.
Result<EncoderInput> encode_text(const tokenize::Tokenizer& tokenizer, std::string_view text, int64_t max_length,
                                 const tokenize::EncodeOptions& options = {});

// The run of an input; both must outlive it.
nn::RowRun run_of(const EncoderInput& input);

}  // namespace atelier::models
