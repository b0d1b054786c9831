// Records of tasks in the formats that data sets come in. Each becomes the object that a JSON Lines file would hold.
//
//   records  .jsonl, .json   {"text", "text_pair"?, "label"}, {"words", "tags"}, {"question", "context", "answers"}, {"text", "choices",
//   "label"} table    .csv (RFC 4180: quotes, doubled inside) or another name: columns parted by tabs, as they are. Members are named by
//   `columns`,
//            "" leaving a column out, or by the first line where there are none
//   conll    a word a line, its tag in the last column; an empty line ends a text
//            -> {"words", "tags"}                                    (Tjong Kim Sang & De Meulder 2003, CoNLL-2003)
//   squad    SQuAD's JSON -> {"question", "context", "answers": [{"text", "answer_start"}], "title"}    (Rajpurkar et al. 2016)
#pragma once

#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::data {

// `format` is one of those names. Errors: NotFound, Corrupt with the line that does not fit, InvalidArgument for a file without a record.
Result<std::vector<Json>> read_task_records(const std::string& path, const std::string& format, const std::vector<std::string>& columns);

// The records of a text in one of the formats but "records"; `name` stands in errors and decides between commas and tabs.
Result<std::vector<Json>> parse_task_records(std::string_view text, const std::string& name, const std::string& format,
                                             const std::vector<std::string>& columns);

}  // namespace atelier::data
