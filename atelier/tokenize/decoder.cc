#include "atelier/tokenize/decoder.h"

namespace atelier::tokenize {

DecodeChain::DecodeChain(const std::vector<std::unique_ptr<Decoder>>& decoders) : joins_with_spaces_(decoders.empty()) {
  for (const auto& decoder : decoders) steps_.push_back(decoder->start());
}

Status DecodeChain::push(std::string token, std::string& out) {
  if (joins_with_spaces_) {
    if (!is_first_) out += ' ';
    is_first_ = false;
    out += token;
    return {};
  }
  return pass(0, {std::move(token), false}, out);
}

Status DecodeChain::finish(std::string& out) {
  for (size_t step = 0; step < steps_.size(); ++step) {
    Status status;
    ATELIER_RETURN_IF_ERROR(steps_[step]->finish([&](DecodePart part) {
      if (status.ok()) status = pass(step + 1, std::move(part), out);
    }));
    ATELIER_RETURN_IF_ERROR(status);
  }
  return {};
}

Status DecodeChain::pass(size_t step, DecodePart part, std::string& out) {
  if (step == steps_.size()) {
    out += part.text;
    return {};
  }
  Status status;
  ATELIER_RETURN_IF_ERROR(steps_[step]->push(std::move(part), [&](DecodePart next) {
    if (status.ok()) status = pass(step + 1, std::move(next), out);
  }));
  return status;
}

}  // namespace atelier::tokenize
