#include "atelier/serve/api_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "atelier/io/sha256.h"

namespace atelier::serve {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 20;

std::string digest_of(std::string_view key) {
  io::Sha256 hash;
  hash.update(key.data(), key.size());
  return hash.hex_digest();
}

bool is_equal(const std::string& a, const std::string& b) {
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

}  // namespace

Status ApiKeys::add(std::string_view key) {
  const bool is_printable = std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.size() < kMinLength || !is_printable) {
    return Status::invalid(
        fmt::format("key: {} characters, at least {} of printable ASCII are needed; take `openssl rand -hex 24`", key.size(), kMinLength));
  }
  digests_.push_back(digest_of(key));
  return {};
}

Result<ApiKeys> ApiKeys::read(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path, kMaxFileBytes));
  ApiKeys keys;
  int line_number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++line_number;
    const std::string_view line = trim_ascii(raw);
    if (line.empty() || line[0] == '#') continue;
    if (const Status status = keys.add(line); !status.ok()) return status.with_context(fmt::format("{}: line {}", path, line_number));
  }
  if (keys.empty()) return Status::invalid(path + ": holds no key, one a line is needed; take `openssl rand -hex 24`");
  return keys;
}

std::optional<std::string> ApiKeys::scope_of(std::string_view key) const {
  const std::string digest = digest_of(key);
  bool is_known = false;
  for (const std::string& known : digests_) is_known |= is_equal(digest, known);
  return is_known ? std::optional(digest) : std::nullopt;
}

}  // namespace atelier::serve
