// Files of remembered prefixes: what is refused must add nothing.
#include "atelier/generate/prefix_cache.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/model_trial.h"
#include "tests/support/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  static const testing::TemporaryFolder folder;
  nn::TransformerSpec spec;  // its pages take 4,096 bytes
  spec.num_kv_heads = spec.head_dim = 1;
  spec.layers.resize(1);
  auto pool = nn::KvPool::create(spec, DType::kF16, 8);
  if (!pool.ok()) fuzz::fail(pool.status().message());
  generate::PrefixCache prefixes(*pool);
  fuzz::put_file(folder / "prefixes", fuzz::as_text(data, size));
  const Status status = prefixes.restore(folder / "prefixes", "fuzz");
  fuzz::check_refusal(status);
  if (!status.ok() && prefixes.num_pages() > 0) fuzz::fail("a refused file has added pages");
  while (prefixes.evict_one()) {
  }
  if ((*pool)->num_free() != 8) fuzz::fail("pages were lost");
  return 0;
}
