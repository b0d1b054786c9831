#include "atelier/data/records.h"

#include <cstring>
#include <vector>

#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "atelier/io/mapped_file.h"

namespace atelier::data {
namespace {

Status no_object(const std::string& path, int64_t index) {
  return Status::corrupt(path + ": record " + std::to_string(index + 1) + " is no object; write {...} records");
}

class ArrayRecords : public Records {
 public:
  ArrayRecords(std::string path, Json json) : path_(std::move(path)), json_(std::move(json)) {}
  int64_t size() const override { return static_cast<int64_t>(json_.as_array().size()); }
  Result<Json> at(int64_t index) const override {
    const Json& record = json_.as_array()[static_cast<size_t>(index)];
    if (!record.is_object()) return no_object(path_, index);
    return record;
  }

 private:
  std::string path_;
  Json json_;
};

class LineRecords : public Records {
 public:
  explicit LineRecords(std::shared_ptr<const io::MappedFile> file) : file_(std::move(file)) {
    const std::string_view text = file_->text();
    for (size_t begin = 0; begin < text.size();) {
      const size_t found = text.find('\n', begin), end = found == text.npos ? text.size() : found;
      if (!trim_ascii(text.substr(begin, end - begin)).empty()) lines_.push_back(begin);
      begin = end + 1;
    }
  }
  int64_t size() const override { return static_cast<int64_t>(lines_.size()); }
  Result<Json> at(int64_t index) const override {
    const size_t begin = lines_[static_cast<size_t>(index)];
    const std::string_view text = file_->text();
    ATELIER_TRY(Json record,
                Json::parse(text.substr(begin, text.find('\n', begin) - begin), file_->path() + " record " + std::to_string(index + 1)));
    if (!record.is_object()) return no_object(file_->path(), index);
    return record;
  }

 private:
  std::shared_ptr<const io::MappedFile> file_;
  std::vector<size_t> lines_;  // where each record begins
};

class TextRecord : public Records {
 public:
  explicit TextRecord(std::shared_ptr<const io::MappedFile> file) : file_(std::move(file)) {}
  int64_t size() const override { return 1; }
  Result<Json> at(int64_t) const override { return Json::object().set("text", file_->text()); }

 private:
  std::shared_ptr<const io::MappedFile> file_;
};

}  // namespace

Result<std::shared_ptr<const Records>> Records::open(const std::string& path) {
  std::shared_ptr<const Records> records;
  if (path.ends_with(".json")) {
    ATELIER_TRY(const std::string text, io::read_file(path));
    ATELIER_TRY(Json json, Json::parse(text, path));
    if (!json.is_array()) return Status::corrupt(path + ": is no array; use an array of objects, or .jsonl with an object a line");
    records = std::make_shared<ArrayRecords>(path, std::move(json));
  } else {
    ATELIER_TRY(auto file, io::MappedFile::open(path));
    if (file->size() == 0) return Status::invalid(path + ": is empty; give a file with data");
    if (path.ends_with(".jsonl")) {
      records = std::make_shared<LineRecords>(std::move(file));
    } else {
      records = std::make_shared<TextRecord>(std::move(file));
    }
  }
  if (records->size() == 0) return Status::invalid(path + ": has no records; give a file with data");
  return records;
}

}  // namespace atelier::data
