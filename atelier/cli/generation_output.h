// How generated tokens are shown, as JSON and as lines for people; shared by `generate` and `chat`.
#pragma once

#include <iosfwd>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/logprobs.h"
#include "atelier/generate/request.h"
#include "atelier/generate/token_text.h"

namespace atelier::cli {

// [{"id","text","logprob","top":[{"id","text","logprob"}]}]
Json reports_json(const std::vector<generate::TokenReport>& reports, const generate::TokenText& text);

// One line per token, its likeliest alternatives with percentages beside it, and the total.
void print_reports(const std::vector<generate::TokenReport>& reports, int num_top, const generate::TokenText& text, std::ostream& out);

// "finish_reason", token counts, seconds and rates as members of `json`.
void add_statistics(const generate::Generation& generation, Json& json);

// Why an answer ended early, on stderr: a full context, the limit of tokens. Nothing for a natural end.
void explain_finish(const generate::Generation& generation, int64_t context, const char* way_out);

}  // namespace atelier::cli
