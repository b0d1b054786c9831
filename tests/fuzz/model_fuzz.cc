// Tiny models in GGUF files: loading, the vocabulary inside, and the logits of four ids in two precisions.
#include "tests/fuzz/model_trial.h"
#include "tests/support/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const atelier::testing::TemporaryFolder folder;
  atelier::fuzz::put_file(folder / "model.gguf", atelier::fuzz::as_text(data, size));
  atelier::fuzz::try_model(folder / "model.gguf");
  return 0;
}
