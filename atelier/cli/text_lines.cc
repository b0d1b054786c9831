#include "atelier/cli/text_lines.h"

#include <fmt/format.h>

#include "atelier/base/strings.h"
#include "atelier/io/line_stream.h"

namespace atelier::cli {
namespace {

constexpr size_t kPartLines = 8192;

bool is_json_lines(const std::string& path) { return path.ends_with(".jsonl") || path.ends_with(".jsonl.gz"); }

void remove_line_break(std::string& line) {
  if (line.ends_with('\n')) line.pop_back();
  if (line.ends_with('\r')) line.pop_back();
}

}  // namespace

void TextLines::declare(Args& args) {
  args.positional("TEXT", texts_, "texts, in place of --input", Args::Presence::kOptional);
  args.option("-i,--input", input_, "FILE", "a text a line, or JSON Lines (.jsonl) with a \"text\" each; may be packed (.gz)");
}

Status TextLines::for_each_part(const std::function<Status(std::span<const Json> lines)>& use) const {
  if (texts_.empty() == !input_) {
    return Status::invalid(fmt::format("text: {} of TEXT and --input, exactly one is needed", input_ ? "both" : "none"));
  }
  std::vector<Json> part;
  if (!input_) {
    for (const std::string& text : texts_) part.push_back(Json::object().set("text", text));
    return use(part);
  }
  ATELIER_TRY(io::LineStream lines, io::LineStream::open(*input_));
  std::string line;
  for (int64_t number = 1;; ++number) {
    line.clear();
    ATELIER_TRY(const bool has_line, lines.append_line(line));
    if (!has_line || part.size() == kPartLines) {
      if (!part.empty()) ATELIER_RETURN_IF_ERROR(use(part));
      part.clear();
    }
    if (!has_line) return {};
    remove_line_break(line);
    if (!is_json_lines(*input_)) {
      part.push_back(Json::object().set("text", line));
      continue;
    }
    if (trim_ascii(line).empty()) continue;
    ATELIER_TRY(part.emplace_back(), Json::parse(line, fmt::format("{}: line {}", *input_, number)));
    if (!part.back().is_object()) return Status::corrupt(fmt::format("{}: line {} is no object", *input_, number));
  }
}

}  // namespace atelier::cli
