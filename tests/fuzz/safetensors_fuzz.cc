// safetensors files.
#include "atelier/format/safetensors.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = atelier::format::Safetensors::from_bytes({data, size}, "input.safetensors", nullptr);
  atelier::fuzz::check_refusal(file.status());
  if (!file.ok()) return 0;
  volatile unsigned sum = 0;
  for (const auto& entry : (*file)->entries()) {
    const auto* bytes = static_cast<const unsigned char*>(entry.data);
    if (entry.bytes > 0) sum = sum + bytes[0] + bytes[entry.bytes - 1];
  }
  return 0;
}
