// Tiny models in Hugging Face folders. The input is config.json, a zero byte, and model.safetensors.
#include "tests/fuzz/model_trial.h"
#include "tests/support/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const atelier::testing::TemporaryFolder folder;
  const std::string_view text = atelier::fuzz::as_text(data, size);
  const size_t border = text.find('\0');
  if (border == std::string_view::npos) return 0;
  atelier::fuzz::put_file(folder / "config.json", text.substr(0, border));
  atelier::fuzz::put_file(folder / "model.safetensors", text.substr(border + 1));
  atelier::fuzz::try_model(folder.path());
  return 0;
}
