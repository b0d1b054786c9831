// config.json of Hugging Face folders, read by every architecture.
#include "atelier/base/json.h"
#include "atelier/format/refusals.h"
#include "atelier/models/arch.h"
#include "tests/fuzz/fuzz.h"

using atelier::Json;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = Json::parse(atelier::fuzz::as_text(data, size), "config.json");
  atelier::fuzz::check_refusal(config.status());
  if (!config.ok()) return 0;
  if (Json::parse(config->dump(), "dump").value() != *config) atelier::fuzz::fail("JSON does not survive dump and parse");
  atelier::fuzz::check_refusal(atelier::format::refuse_unsupported_config(*config));
  for (const atelier::models::ArchDef* arch : atelier::models::architectures()) {
    const auto spec = arch->from_hf(*config);
    atelier::fuzz::check_refusal(spec.status());
    if (spec.ok()) atelier::fuzz::check_refusal(atelier::models::check_spec(*spec));
  }
  return 0;
}
