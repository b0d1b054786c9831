#include "atelier/cli/load_tokenizer.h"

#include "atelier/format/gguf.h"
#include "atelier/io/file.h"
#include "atelier/models/side_files.h"
#include "atelier/models/store.h"

namespace atelier::cli {
namespace {

using TokenizerResult = Result<std::unique_ptr<tokenize::Tokenizer>>;

TokenizerResult from_folder(const std::string& folder) {
  Json config = Json::object();
  const std::string config_path = io::join_path(folder, "config.json");
  if (io::is_file(config_path)) {
    ATELIER_TRY(const std::string text, io::read_file(config_path, int64_t{16} << 20));
    ATELIER_TRY(config, Json::parse(text, config_path));
  }
  ATELIER_TRY(models::SideFiles files, models::hf_side_files(folder, config));
  return std::move(files.tokenizer);
}

TokenizerResult from_gguf(const std::string& path) {
  ATELIER_TRY(const std::shared_ptr<const format::Gguf> file, format::Gguf::open(path));
  ATELIER_TRY(tokenize::GgufVocabulary vocabulary, models::gguf_vocabulary(*file));
  return tokenize::Tokenizer::from_gguf(std::move(vocabulary), path);
}

}  // namespace

TokenizerResult load_tokenizer(const std::string& model) {
  if (io::is_directory(model) && io::is_file(io::join_path(model, "tokenizer.json"))) return from_folder(model);
  ATELIER_TRY(const std::string path, models::resolve_model_path(model));
  if (io::is_directory(path)) return from_folder(path);
  if (path.ends_with(".json") || path.ends_with(".model")) {
    ATELIER_TRY(const std::string text, io::read_file(path));
    return path.ends_with(".json") ? tokenize::Tokenizer::from_tokenizer_json(text, path)
                                   : tokenize::Tokenizer::from_sentencepiece(text, path);
  }
  return from_gguf(path);
}

}  // namespace atelier::cli
