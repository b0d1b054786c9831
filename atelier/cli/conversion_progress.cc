#include "atelier/cli/conversion_progress.h"

#include "atelier/base/strings.h"
#include "atelier/cli/interrupt.h"

namespace atelier::cli {

convert::Progress conversion_progress(Progress& progress) {
  return [&progress](int64_t done, int64_t total) {
    progress.set_total(total);
    progress.update(done, human_bytes(static_cast<uint64_t>(done)));
    return !is_interrupted();
  };
}

}  // namespace atelier::cli
