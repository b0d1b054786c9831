// `atelier tokenize MODEL [TEXT]`: text to ids with pieces and byte offsets, or ids back to text.
#include <fmt/format.h>

#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/load_tokenizer.h"

namespace atelier::cli {
namespace {

struct TokenizeOptions {
  std::string model;
  std::string text;
  std::optional<std::string> file, ids;
  bool only_count = false, parse_special = false, is_bare = false;
};

Json int_array(const std::vector<int32_t>& ids) {
  Json array = Json::array();
  for (const int32_t id : ids) array.push_back(id);
  return array;
}

Json pieces_of(const tokenize::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  Json array = Json::array();
  for (const int32_t id : ids) array.push_back(tokenizer.id_to_token(id));
  return array;
}

Status decode(const TokenizeOptions& options, const tokenize::Tokenizer& tokenizer, Console& console) {
  ATELIER_TRY(const std::vector<int32_t> ids, parse_ids(*options.ids));
  ATELIER_TRY(const std::string text, tokenizer.decode(ids, /*skip_special=*/false));
  if (!console.is_json) {
    console.out << text << "\n";
    return {};
  }
  console.out << Json::object().set("text", text).set("ids", int_array(ids)).set("pieces", pieces_of(tokenizer, ids)).dump() << "\n";
  return {};
}

void print_json(const tokenize::Tokenizer& tokenizer, const tokenize::Encoding& encoding, std::ostream& out) {
  Json offsets = Json::array();
  for (const auto& [begin, end] : encoding.offsets) {
    offsets.push_back(Json::Array{static_cast<int64_t>(begin), static_cast<int64_t>(end)});
  }
  Json result = Json::object();
  result.set("count", static_cast<int64_t>(encoding.ids.size())).set("ids", int_array(encoding.ids));
  out << result.set("pieces", pieces_of(tokenizer, encoding.ids)).set("offsets", offsets).dump() << "\n";
}

void print_table(const tokenize::Tokenizer& tokenizer, const tokenize::Encoding& encoding, std::string_view text, std::ostream& out) {
  out << fmt::format("{:>8}  {:>13}  {:<24}  {}\n", "id", "bytes", "piece", "text");
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const auto [begin, end] = encoding.offsets[i];
    const std::string range = fmt::format("{}-{}", begin, end);
    out << fmt::format("{:>8}  {:>13}  {:<24}  {}\n", encoding.ids[i], range, tokenizer.id_to_token(encoding.ids[i]),
                       Json(text.substr(begin, end - begin)).dump());
  }
  out << fmt::format("{} tokens\n", encoding.ids.size());
}

Status count(const tokenize::Tokenizer& tokenizer, std::string_view text, const tokenize::EncodeOptions& encode, Console& console) {
  ATELIER_TRY(const std::vector<int32_t> ids, tokenizer.encode_long(text, encode));
  if (console.is_json) {
    console.out << Json::object().set("count", static_cast<int64_t>(ids.size())).dump() << "\n";
  } else {
    console.out << ids.size() << "\n";
  }
  return {};
}

Status run(const TokenizeOptions& options, Console& console) {
  ATELIER_TRY(const auto tokenizer, load_tokenizer(options.model));
  if (options.ids) {
    if (!options.text.empty() || options.file) {
      return Status::invalid("--ids: given with a text, only one of them can be turned into the other; leave one out");
    }
    return decode(options, *tokenizer, console);
  }
  const std::optional<std::string> given = options.text.empty() ? std::nullopt : std::optional(options.text);
  ATELIER_TRY(const std::string text, input_text(given, options.file, "TEXT", console));
  tokenize::EncodeOptions encode;
  encode.add_special_tokens = !options.is_bare;
  encode.parse_special = options.parse_special;
  if (options.only_count) return count(*tokenizer, text, encode, console);
  ATELIER_TRY(const tokenize::Encoding encoding, tokenizer->encode(text, encode));
  if (console.is_json) {
    print_json(*tokenizer, encoding, console.out);
  } else {
    print_table(*tokenizer, encoding, text, console.out);
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TokenizeOptions>();
  args.positional("MODEL", options->model, "model, or a folder or .gguf file that holds a tokenizer; also a tokenizer.json or .model file");
  args.positional("TEXT", options->text, "what to tokenize (default: --file, or stdin)", Args::Presence::kOptional);
  args.option("-f,--file", options->file, "FILE", "read the text from a file; - is stdin");
  args.option("--ids", options->ids, "LIST", "turn ids such as 1,17,45 back into text");
  args.flag("--count", options->only_count, "print only the number of tokens");
  args.flag("--special", options->parse_special, "the text may spell special tokens such as <|im_end|>");
  args.flag("--bare", options->is_bare, "add no BOS, EOS or other tokens of the model's own");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_tokenize;
const CommandDef command_tokenize = {"tokenize", "look", "text to ids and back, with pieces and byte offsets",
                                     "atelier tokenize smollm2-135m-instruct \"Hello, world\"", declare};

}  // namespace atelier::cli
