// GGUF files: headers, metadata, tensor infos, and what reads them without a model.
#include <cstring>

#include "atelier/format/gguf.h"
#include "atelier/format/refusals.h"
#include "tests/fuzz/fuzz.h"

using atelier::format::Gguf;

// Every byte that an entry claims must be there to read.
static unsigned touch(const atelier::format::TensorEntry& entry) {
  const auto* bytes = static_cast<const unsigned char*>(entry.data);
  return entry.bytes == 0 ? 0u : static_cast<unsigned>(bytes[0]) + bytes[entry.bytes - 1];
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = Gguf::from_bytes({data, size}, "input.gguf", nullptr);
  atelier::fuzz::check_refusal(file.status());
  if (!file.ok()) return 0;
  const Gguf& gguf = **file;
  volatile unsigned sum = 0;
  for (const auto& entry : gguf.entries()) sum = sum + touch(entry);
  for (const auto& [key, value] : gguf.metadata()) {
    sum = sum + static_cast<unsigned>(value.to_string().size());
    atelier::fuzz::check_refusal(gguf.get_int(key).status());
    atelier::fuzz::check_refusal(gguf.get_floats(key).status());
    atelier::fuzz::check_refusal(gguf.get_bools(key).status());
    atelier::fuzz::check_refusal(gguf.get_strings(key).status());
  }
  atelier::fuzz::check_refusal(atelier::format::refuse_unsupported_gguf(gguf));
  return 0;
}
