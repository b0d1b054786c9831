#include "atelier/tokenize/tokenizer.h"

#include <atomic>

#include "atelier/base/error.h"
#include "atelier/parallel/parallel.h"

namespace atelier::tokenize {

Result<std::vector<TokenId>> Tokenizer::encode_ids(std::string_view text, EncodeOptions options) const {
  options.with_offsets = false;
  ATELIER_TRY(Encoding encoding, encode(text, options));
  return std::move(encoding.ids);
}

Result<std::vector<std::vector<TokenId>>> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                                                  const EncodeOptions& options) const {
  ATELIER_CHECK(options.trusted == nullptr);
  constexpr size_t kTextsAtOnce = 16;  // texts differ in length: threads take the next few as they get free
  std::vector<std::vector<TokenId>> ids(texts.size());
  std::vector<Status> failures(texts.size());
  std::atomic<size_t> next{0};
  parallel_for(num_threads(), 1, [&](int64_t, int64_t, int) {
    for (size_t begin = next.fetch_add(kTextsAtOnce); begin < texts.size(); begin = next.fetch_add(kTextsAtOnce)) {
      const size_t end = std::min(begin + kTextsAtOnce, texts.size());
      for (size_t i = begin; i < end; ++i) {
        Result<std::vector<TokenId>> encoded = encode_ids(texts[i], options);
        if (encoded.ok()) {
          ids[i] = std::move(encoded).value();
        } else {
          failures[i] = encoded.status();
        }
      }
    }
  });
  for (const Status& failure : failures) ATELIER_RETURN_IF_ERROR(failure);
  return ids;
}

}  // namespace atelier::tokenize
