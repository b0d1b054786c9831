// The texts that a tokenizer learns from: files of text, each line a text (with its line break, as Hugging Face's train() reads them), and
// JSON Lines (.jsonl, .ndjson), each record's field a text. Either may be packed by gzip (".gz").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/io/line_stream.h"

namespace atelier::tokenize {

// Lines of files, not looked into yet.
struct LineBatch {
  struct Line {
    size_t begin, end;  // of `bytes`
    size_t file;        // index
    int64_t number;     // in the file, from 1
  };
  std::string bytes;
  std::vector<Line> lines;
};

class Corpus {
 public:
  // `field`: the key of a record that holds its text.
  static Result<Corpus> open(std::vector<std::string> paths, std::string field);

  // Reads lines in the order of the files until `batch` holds `bytes`; an empty batch is the end.
  Status read(size_t bytes, LineBatch& batch);

  // The text of a line; `storage` is where it lies unless it is the line itself. May be called from several threads.
  Result<std::string_view> text_of(const LineBatch& batch, const LineBatch::Line& line, std::string& storage) const;

  int64_t total_bytes() const { return total_bytes_; }  // of the files as they lie on the disk
  int64_t bytes_read() const;

 private:
  Corpus(std::vector<std::string> paths, std::string field) : paths_(std::move(paths)), field_(std::move(field)) {}

  std::vector<std::string> paths_;
  std::string field_;
  std::optional<io::LineStream> current_;  // the file that is being read
  size_t next_file_ = 0;
  int64_t line_number_ = 0;  // in the current file
  int64_t total_bytes_ = 0, bytes_before_ = 0;
};

}  // namespace atelier::tokenize
