#include "atelier/cli/inputs.h"

#include <fmt/format.h>

#include <istream>
#include <iterator>

#include "atelier/base/strings.h"
#include "atelier/io/file.h"

namespace atelier::cli {

Result<std::string> input_text(const std::optional<std::string>& text, const std::optional<std::string>& file, const char* option,
                               Console& console) {
  if (text && file) return Status::invalid(fmt::format("text: given by {} and by --file, one is expected; leave one out", option));
  if (text) return *text;
  if (file && *file != "-") {
    if (!io::is_file(*file)) return Status::not_found(fmt::format("text: {}, no such file; check the path", atelier::quoted(*file)));
    return io::read_file(*file);
  }
  if (!file && console.is_in_terminal) return Status::invalid(fmt::format("text: none given, one is needed; use {} or --file", option));
  return std::string(std::istreambuf_iterator<char>(console.in), {});
}

Result<std::vector<int32_t>> parse_ids(const std::string& text) {
  std::vector<int32_t> ids;
  for (const std::string_view part : split(text, ',')) {
    const auto id = parse_int(trim_ascii(part));
    if (!id || *id < 0 || *id > INT32_MAX) {
      return Status::invalid(
          fmt::format("--ids: {}, must be numbers from 0 with commas between them, such as 1,17,45; correct it", atelier::quoted(part)));
    }
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

}  // namespace atelier::cli
