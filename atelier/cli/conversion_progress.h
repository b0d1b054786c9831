// Progress of quantize and convert: bytes written, and Ctrl-C.
#pragma once

#include "atelier/cli/progress.h"
#include "atelier/convert/tensor_stream.h"

namespace atelier::cli {

convert::Progress conversion_progress(Progress& progress);

}  // namespace atelier::cli
