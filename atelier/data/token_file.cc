#include "atelier/data/token_file.h"

#include "atelier/io/atomic_file.h"

namespace atelier::data {

Result<std::shared_ptr<const TokenFile>> TokenFile::create(const std::string& path, const Records& records,
                                                           const tokenize::Tokenizer& tokenizer) {
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  options.with_offsets = false;
  const auto end = records.size() > 1 ? tokenizer.eos() : std::nullopt;
  for (int64_t i = 0; i < records.size(); ++i) {
    ATELIER_TRY(const Json record, records.at(i));
    ATELIER_TRY(const std::string text, record.get_string("text"));
    ATELIER_TRY(std::vector<int32_t> ids, tokenizer.encode_long(text, options));
    if (end) ids.push_back(*end);
    ATELIER_RETURN_IF_ERROR(file.write(ids.data(), ids.size() * sizeof(int32_t)));
  }
  ATELIER_RETURN_IF_ERROR(file.commit());
  ATELIER_TRY(auto mapped, io::MappedFile::open(path));
  return std::shared_ptr<const TokenFile>(new TokenFile(std::move(mapped)));
}

}  // namespace atelier::data
