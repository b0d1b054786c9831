// Feeds a tokenizer from a script: scripts/parity_tokenizers.py compares what comes out with the reference implementations.
//
//   tokenizer_tool SOURCE [--special] [--no-add] [--ids] [--config tokenizer_config.json] < texts
//
// SOURCE is a .gguf, a tokenizer.json, a vocab.json (with --merges merges.txt), a vocab.txt, a SentencePiece .model, or tiktoken ranks
// (with --pattern NAME). A text is a line with its length in bytes, then that many bytes; for each the answer is one line:
//
//   ids separated by spaces | begin-end separated by spaces | hexadecimal bytes of decode(ids, skip_special = false)
//
// With --ids the line holds the ids alone. The decoded text comes from a StreamDecoder and is checked against decode(); a difference, or
// any error, ends the tool.
#include <cstdio>
#include <iostream>
#include <string>

#include "atelier/format/gguf.h"
#include "atelier/io/file.h"
#include "atelier/models/side_files.h"
#include "atelier/tokenize/tokenizer.h"

namespace {

using atelier::Result;
using atelier::Status;
using atelier::tokenize::EncodeOptions;
using atelier::tokenize::Tokenizer;

struct Arguments {
  std::string source, config, pattern, merges;
  EncodeOptions options;
  bool ids_only = false;
};

Result<std::unique_ptr<Tokenizer>> load(const Arguments& arguments) {
  const std::string& source = arguments.source;
  if (source.ends_with(".gguf")) {
    ATELIER_TRY(const auto file, atelier::format::Gguf::open(source));
    ATELIER_TRY(auto vocabulary, atelier::models::gguf_vocabulary(*file));
    return Tokenizer::from_gguf(std::move(vocabulary), source);
  }
  ATELIER_TRY(const std::string text, atelier::io::read_file(source));
  std::string config;
  if (!arguments.config.empty()) {
    ATELIER_TRY(config, atelier::io::read_file(arguments.config));
  }
  if (!arguments.pattern.empty()) return Tokenizer::from_tiktoken(text, arguments.pattern, source);
  if (!arguments.merges.empty()) {
    ATELIER_TRY(const std::string merges, atelier::io::read_file(arguments.merges));
    return Tokenizer::from_bpe_files(text, merges, source, config);
  }
  if (source.ends_with(".txt")) return Tokenizer::from_wordpiece_vocab(text, source, config);
  if (source.ends_with(".json")) return Tokenizer::from_tokenizer_json(text, source, config);
  return Tokenizer::from_sentencepiece(text, source, config);
}

Status answer(const Tokenizer& tokenizer, const std::string& text, const Arguments& arguments) {
  ATELIER_TRY(const auto encoding, tokenizer.encode(text, arguments.options));
  std::string line;
  for (const auto id : encoding.ids) line += std::to_string(id) + " ";
  if (arguments.ids_only) {
    std::cout << line << "\n";
    return {};
  }
  line += "|";
  for (const auto& [begin, end] : encoding.offsets) line += " " + std::to_string(begin) + "-" + std::to_string(end);
  line += " | ";
  ATELIER_TRY(const std::string decoded, tokenizer.decode(encoding.ids, false));
  std::string streamed;
  atelier::tokenize::StreamDecoder stream(tokenizer, false);
  for (const auto id : encoding.ids) {
    ATELIER_TRY(const std::string part, stream.push(id));
    streamed += part;
  }
  ATELIER_TRY(const std::string rest, stream.finish());
  if (streamed + rest != decoded) return Status::invalid("the stream gives another text than decode()");
  for (const char byte : decoded) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned char>(byte));
    line += hex;
  }
  std::cout << line << "\n";
  return {};
}

Status run(const Arguments& arguments) {
  ATELIER_TRY(const auto tokenizer, load(arguments));
  std::string header;
  while (std::getline(std::cin, header)) {
    std::string text(std::stoull(header), '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    ATELIER_RETURN_IF_ERROR(answer(*tokenizer, text, arguments));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--special") {
      arguments.options.parse_special = true;
    } else if (argument == "--no-add") {
      arguments.options.add_special_tokens = false;
    } else if (argument == "--ids") {
      arguments.ids_only = true;
    } else if (argument == "--config" && i + 1 < argc) {
      arguments.config = argv[++i];
    } else if (argument == "--pattern" && i + 1 < argc) {
      arguments.pattern = argv[++i];
    } else if (argument == "--merges" && i + 1 < argc) {
      arguments.merges = argv[++i];
    } else {
      arguments.source = argument;
    }
  }
  const Status status = run(arguments);
  if (!status.ok()) std::cerr << "tokenizer_tool: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
