// Keys that clients show as `Authorization: Bearer KEY` or `x-api-key: KEY`.
//
// A file has one key a line; empty lines and those that begin with # are skipped. What is kept and compared are SHA-256 digests, all of
// them at every request and without a branch on their bytes, so that the time of an answer says nothing about a key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::serve {

class ApiKeys {
 public:
  static constexpr size_t kMinLength = 16;

  ApiKeys() = default;  // none: everybody may ask
  static Result<ApiKeys> read(const std::string& path);
  // InvalidArgument: a key that is too short or not printable ASCII.
  Status add(std::string_view key);

  bool empty() const { return digests_.empty(); }
  // The scope of a key, by which what its requests leave behind is kept apart from others'; nothing for an unknown key.
  std::optional<std::string> scope_of(std::string_view key) const;

 private:
  std::vector<std::string> digests_;
};

}  // namespace atelier::serve
