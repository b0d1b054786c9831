// Records of a data file, each read from disk when it is asked for.
//
//   .json    an array of objects; kept in memory
//   .jsonl   an object a line; the file is mapped and only the places of its lines are kept
//   other    text: the whole file is one record {"text": ...}
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::data {

class Records {
 public:
  // Errors: NotFound, Corrupt for a .json that is no array, InvalidArgument for a file without a record.
  static Result<std::shared_ptr<const Records>> open(const std::string& path);
  virtual ~Records() = default;

  virtual int64_t size() const = 0;
  // An object. Corrupt names file and line where it is none.
  virtual Result<Json> at(int64_t index) const = 0;
};

}  // namespace atelier::data
