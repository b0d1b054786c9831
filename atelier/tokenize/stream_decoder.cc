#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

Result<std::string> StreamDecoder::push(TokenId id) {
  std::string out;
  ATELIER_RETURN_IF_ERROR(stream_->push(id, out));
  return out;
}

Result<std::string> StreamDecoder::finish() {
  std::string out;
  ATELIER_RETURN_IF_ERROR(stream_->finish(out));
  return out;
}

}  // namespace atelier::tokenize
