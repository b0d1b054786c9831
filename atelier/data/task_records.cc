#include "atelier/data/task_records.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/data/records.h"
#include "atelier/io/file.h"

namespace atelier::data {
namespace {

using Fields = std::vector<std::string>;

std::string_view without_return(std::string_view line) { return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line; }

// Lines of fields parted by commas; a quoted field may hold line breaks.
Result<std::vector<Fields>> comma_rows(std::string_view text, const std::string& name) {
  std::vector<Fields> rows;
  size_t line = 1;
  for (size_t at = 0; at < text.size();) {
    Fields fields(1);
    const size_t first_line = line;
    for (bool is_quoted = false, is_over = false; !is_over; ++at) {
      if (at == text.size()) {
        if (is_quoted) return Status::corrupt(name + ": line " + std::to_string(first_line) + ": a quote is not closed");
        break;
      }
      const char c = text[at];
      if (c == '\n') ++line;
      if (is_quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"') {
        fields.back() += c;
        ++at;
      } else if (c == '"' && (is_quoted || fields.back().empty())) {
        is_quoted = !is_quoted;
      } else if (!is_quoted && c == ',') {
        fields.emplace_back();
      } else if (!is_quoted && c == '\n') {
        is_over = true;
      } else if (is_quoted || c != '\r') {
        fields.back() += c;
      }
    }
    if (fields.size() > 1 || !fields[0].empty()) rows.push_back(std::move(fields));
  }
  return rows;
}

std::vector<Fields> tab_rows(std::string_view text) {
  std::vector<Fields> rows;
  for (const std::string_view line : split(text, '\n')) {
    if (without_return(line).empty()) continue;
    Fields fields;
    for (const std::string_view field : split(without_return(line), '\t')) fields.emplace_back(field);
    rows.push_back(std::move(fields));
  }
  return rows;
}

Result<std::vector<Json>> table(std::string_view text, const std::string& name, Fields columns) {
  std::vector<Fields> rows;
  if (name.ends_with(".csv")) {
    ATELIER_TRY(rows, comma_rows(text, name));
  } else {
    rows = tab_rows(text);
  }
  size_t first = 0;
  if (columns.empty() && !rows.empty()) columns = rows[first++];
  std::vector<Json> records;
  for (size_t i = first; i < rows.size(); ++i) {
    if (rows[i].size() < columns.size()) {
      return Status::corrupt(name + ": row " + std::to_string(i + 1) + " has " + std::to_string(rows[i].size()) +
                             " columns, data.columns " + std::to_string(columns.size()));
    }
    Json record = Json::object();
    for (size_t c = 0; c < columns.size(); ++c) {
      if (!columns[c].empty()) record.set(columns[c], rows[i][c]);
    }
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::vector<Json>> conll(std::string_view text, const std::string& name) {
  std::vector<Json> records;
  Json words = Json::array(), tags = Json::array();
  const auto finish = [&] {
    if (!words.as_array().empty()) records.push_back(Json::object().set("words", words).set("tags", tags));
    words = Json::array();
    tags = Json::array();
  };
  size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim_ascii(raw);
    if (line.empty()) {
      finish();
      continue;
    }
    const size_t first = line.find_first_of(" \t"), last = line.find_last_of(" \t");
    if (first == line.npos) return Status::corrupt(name + ": line " + std::to_string(number) + " has a word and no tag");
    if (line.starts_with("-DOCSTART-")) continue;
    words.push_back(line.substr(0, first));
    tags.push_back(line.substr(last + 1));
  }
  finish();
  return records;
}

// The array `key` of an object.
Result<const Json::Array*> array_of(const Json& json, const char* key, const std::string& name) {
  const Json* found = json.is_object() ? json.find(key) : nullptr;
  if (found == nullptr || !found->is_array()) return Status::corrupt(name + ": " + quoted(key) + " is missing, must be an array");
  return &found->as_array();
}

Result<std::vector<Json>> squad(std::string_view text, const std::string& name) {
  ATELIER_TRY(const Json json, Json::parse(text, name));
  ATELIER_TRY(const Json::Array* articles, array_of(json, "data", name));
  std::vector<Json> records;
  for (const Json& article : *articles) {
    ATELIER_TRY(const Json::Array* paragraphs, array_of(article, "paragraphs", name));
    ATELIER_TRY(const std::string title, article.get_string("title", ""));
    for (const Json& paragraph : *paragraphs) {
      ATELIER_TRY(const std::string context, paragraph.get_string("context"));
      ATELIER_TRY(const Json::Array* questions, array_of(paragraph, "qas", name));
      for (const Json& question : *questions) {
        ATELIER_TRY(const Json::Array* answers, array_of(question, "answers", name));
        ATELIER_TRY(const std::string asked, question.get_string("question"));
        records.push_back(Json::object().set("question", asked).set("context", context).set("answers", Json(*answers)).set("title", title));
      }
    }
  }
  return records;
}

}  // namespace

Result<std::vector<Json>> parse_task_records(std::string_view text, const std::string& name, const std::string& format,
                                             const std::vector<std::string>& columns) {
  if (format == "table") return table(text, name, columns);
  if (format == "conll") return conll(text, name);
  if (format == "squad") return squad(text, name);
  return Status::invalid("data: format " + quoted(format) + " is not known; known: records, table, conll, squad");
}

Result<std::vector<Json>> read_task_records(const std::string& path, const std::string& format, const std::vector<std::string>& columns) {
  std::vector<Json> records;
  if (format == "records") {
    ATELIER_TRY(const auto file, Records::open(path));
    for (int64_t i = 0; i < file->size(); ++i) {
      ATELIER_TRY(Json record, file->at(i));
      records.push_back(std::move(record));
    }
    return records;
  }
  ATELIER_TRY(const std::string text, io::read_file(path));
  ATELIER_TRY(records, parse_task_records(text, path, format, columns));
  if (records.empty()) return Status::invalid(path + ": has no records; give a file with data");
  return records;
}

}  // namespace atelier::data
