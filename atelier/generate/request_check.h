// What is refused when it is submitted, because it could never run.
#pragma once

#include "atelier/generate/request.h"
#include "atelier/models/model.h"

namespace atelier::generate {

// `context`: tokens of one prompt and its answer. InvalidArgument, OutOfRange or NotFound name what is wrong.
Status check_request(const Request& request, const models::Model& model, int64_t context);

}  // namespace atelier::generate
