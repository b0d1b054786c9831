// Answers with calls: the first byte chooses the format, the second in how large pieces the text comes. What is said does not depend on the
// pieces, and calls are complete before the next begins.
#include "atelier/generate/channel_splitter.h"
#include "atelier/generate/tool_call_splitter.h"
#include "tests/fuzz/fuzz.h"

using namespace atelier::generate;

namespace {

// All that is said, with calls by their number.
template <typename Splitter>
std::string told_by(Splitter splitter, std::string_view text, size_t piece_size) {
  std::string out;
  std::optional<size_t> last;
  size_t num_calls = 0;
  const auto take = [&](const std::vector<typename Splitter::Piece>& pieces) {
    for (const auto& piece : pieces) {
      if (piece.call && !piece.name.empty() && *piece.call != num_calls++)
        atelier::fuzz::fail("calls are not numbered one after the other");
      if (piece.call && piece.name.empty() && piece.call != last) atelier::fuzz::fail("arguments of a call that is not open");
      if (piece.call && !piece.name.empty()) out += "\x01" + piece.name + "\x02";
      if (!piece.call) out += piece.text;
      out += piece.arguments;
      last = piece.call;
    }
  };
  for (size_t begin = 0; begin < text.size(); begin += piece_size) take(splitter.push(text.substr(begin, piece_size)));
  take(splitter.finish());
  return out;
}

std::string told(const ToolFormat& format, std::string_view text, size_t piece_size) {
  if (format.has_channels) return told_by(ChannelSplitter({"f", "get_weather"}), text, piece_size);
  static const atelier::Json kText = atelier::Json::object().set("type", "string");
  static const std::vector<Tool> kTools = {{"f", {}, atelier::Json::object().set("properties", atelier::Json::object().set("a", kText))},
                                           {"get_weather", {}, {}}};
  return told_by(ToolCallSplitter(format, kTools), text, piece_size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto formats = tool_formats();
  const ToolFormat& format = *formats[data[0] % formats.size()];
  const std::string_view text = atelier::fuzz::as_text(data + 2, size - 2);
  const size_t piece = size_t{1} + data[1] % 64;
  if (told(format, text, piece) != told(format, text, text.size() + 1)) atelier::fuzz::fail("what is said depends on the pieces");
  return 0;
}
