// How fast are tokenizers? One JSON object per line on standard output; scripts/bench_tokenizers.py sets peers beside it.
//
//   tokenize_bench TEXT SOURCE...      SOURCE: a tokenizer.json, a SentencePiece .model, or tiktoken ranks as RANKS:PATTERN
//
// "first" is the first call of a fresh tokenizer (caches empty) on the whole text, "whole" the best of the next calls; "batch" the
// parts of the text between empty lines, special tokens added, with one and with two threads. MB is 10^6 bytes. With ATELIER_IDS set to a
// folder, the ids are written there as N.whole and N.batch (int32, N = 0, 1, … by source) for a comparison.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/parallel/parallel.h"
#include "atelier/tokenize/tokenizer.h"

namespace {

using namespace atelier;
using tokenize::TokenId;
using tokenize::Tokenizer;

constexpr int kRepeats = 5;

double seconds_of(FunctionRef<void()> work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double best_seconds_of(FunctionRef<void()> work) {
  double best = seconds_of(work);
  for (int i = 1; i < kRepeats; ++i) best = std::min(best, seconds_of(work));
  return best;
}

Result<std::unique_ptr<Tokenizer>> load(const std::string& source) {
  const size_t colon = source.rfind(':');
  const std::string path = source.substr(0, colon);
  ATELIER_TRY(const std::string bytes, io::read_file(path));
  if (colon != std::string::npos) return Tokenizer::from_tiktoken(bytes, source.substr(colon + 1), path);
  return path.ends_with(".json") ? Tokenizer::from_tokenizer_json(bytes, path) : Tokenizer::from_sentencepiece(bytes, path);
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find("\n\n", begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return parts;
}

void write_ids(const std::string& name, const std::vector<TokenId>& ids) {
  if (const char* folder = std::getenv("ATELIER_IDS")) {
    std::ofstream(std::string(folder) + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * sizeof(TokenId)));
  }
}

Status measure(const std::string& source, int number, const std::string& text) {
  std::unique_ptr<Tokenizer> tokenizer;
  Status status;
  const double load_s = seconds_of([&] {
    auto loaded = load(source);
    status = loaded.status();
    if (loaded.ok()) tokenizer = std::move(loaded).value();
  });
  ATELIER_RETURN_IF_ERROR(status);

  std::vector<TokenId> ids;
  const auto encode_whole = [&] { ids = tokenizer->encode_ids(text, {.add_special_tokens = false}).value(); };
  const double first_s = seconds_of(encode_whole), whole_s = best_seconds_of(encode_whole);
  const double offsets_s = best_seconds_of([&] { (void)tokenizer->encode(text).value(); });
  write_ids(std::to_string(number) + ".whole", ids);

  const std::vector<std::string_view> parts = parts_of(text);
  std::vector<std::vector<TokenId>> batch;
  const auto encode_batch = [&] { batch = tokenizer->encode_batch(parts).value(); };
  set_num_threads(1);
  const double one_s = best_seconds_of(encode_batch);
  set_num_threads(2);
  const double two_s = best_seconds_of(encode_batch);
  std::vector<TokenId> joined;
  for (const std::vector<TokenId>& part : batch) joined.insert(joined.end(), part.begin(), part.end());
  write_ids(std::to_string(number) + ".batch", joined);

  const double mb = static_cast<double>(text.size()) * 1e-6;
  Json line = Json::object();
  line.set("source", source).set("kind", tokenizer->kind()).set("tokens", static_cast<int64_t>(ids.size())).set("load_ms", load_s * 1e3);
  line.set("first_mb_s", mb / first_s).set("whole_mb_s", mb / whole_s).set("offsets_mb_s", mb / offsets_s);
  line.set("batch_mb_s", mb / one_s).set("batch_2_threads_mb_s", mb / two_s);
  std::printf("%s\n", line.dump().c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenize_bench TEXT SOURCE...\n");
    return 2;
  }
  const auto text = io::read_file(argv[1]);
  Status status = text.status();
  for (int i = 2; status.ok() && i < argc; ++i) status = measure(argv[i], i - 2, *text);
  if (!status.ok()) std::fprintf(stderr, "tokenize_bench: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
