// The tokens of a text, in a file that is mapped: int32 ids in the machine's byte order, nothing else. A corpus may be larger than memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "atelier/base/status.h"
#include "atelier/data/records.h"
#include "atelier/io/mapped_file.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::data {

class TokenFile {
 public:
  // Writes the tokens of the `text` of every record to `path`, an end token behind each where the tokenizer has one and there are several
  // records, and opens it. To be called from the owner thread.
  static Result<std::shared_ptr<const TokenFile>> create(const std::string& path, const Records& records,
                                                         const tokenize::Tokenizer& tokenizer);

  std::span<const int32_t> tokens() const {
    return {reinterpret_cast<const int32_t*>(file_->bytes().data()), file_->size() / sizeof(int32_t)};
  }

 private:
  explicit TokenFile(std::shared_ptr<const io::MappedFile> file) : file_(std::move(file)) {}
  std::shared_ptr<const io::MappedFile> file_;
};

}  // namespace atelier::data
