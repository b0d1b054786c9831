#include "atelier/tokenize/corpus.h"

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/io/file.h"

namespace atelier::tokenize {
namespace {

bool holds_json_lines(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".jsonl") || path.ends_with(".ndjson");
}

}  // namespace

Result<Corpus> Corpus::open(std::vector<std::string> paths, std::string field) {
  Corpus corpus(std::move(paths), std::move(field));
  for (const std::string& path : corpus.paths_) {
    if (!io::is_file(path)) return Status::not_found("corpus: " + quoted(path) + ", no such file; check the path");
    ATELIER_TRY(const int64_t bytes, io::file_size(path));
    corpus.total_bytes_ += bytes;
  }
  return corpus;
}

Status Corpus::read(size_t bytes, LineBatch& batch) {
  batch.bytes.clear();
  batch.lines.clear();
  while (batch.bytes.size() < bytes) {
    if (!current_) {
      if (next_file_ == paths_.size()) return {};
      ATELIER_TRY(io::LineStream stream, io::LineStream::open(paths_[next_file_]));
      current_ = std::move(stream);
      ++next_file_;
      line_number_ = 0;
    }
    const size_t begin = batch.bytes.size();
    ATELIER_TRY(const bool has_line, current_->append_line(batch.bytes));
    if (has_line) {
      batch.lines.push_back({begin, batch.bytes.size(), next_file_ - 1, ++line_number_});
    } else {
      bytes_before_ += current_->position();
      current_.reset();
    }
  }
  return {};
}

Result<std::string_view> Corpus::text_of(const LineBatch& batch, const LineBatch::Line& line, std::string& storage) const {
  const std::string_view bytes = std::string_view(batch.bytes).substr(line.begin, line.end - line.begin);
  if (!holds_json_lines(paths_[line.file])) return bytes;
  if (trim_ascii(bytes).empty()) return std::string_view();
  const std::string where = paths_[line.file] + ":" + std::to_string(line.number);
  ATELIER_TRY(const Json record, Json::parse(bytes, where));
  const Json* text = record.find(field_);
  if (text == nullptr || !text->is_string()) {
    return Status::corrupt(where + ": has no text under " + quoted(field_) + "; name the field with --field");
  }
  storage = text->as_string();
  return std::string_view(storage);
}

int64_t Corpus::bytes_read() const { return bytes_before_ + (current_ ? current_->position() : 0); }

}  // namespace atelier::tokenize
