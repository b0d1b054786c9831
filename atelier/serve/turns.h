// Work that is no generation: encoders, adapters, what loads. It is done on the owner thread between two steps of the engines, piece by
// piece, so that answers under way move on in between.
#pragma once

#include <functional>
#include <optional>

#include "atelier/serve/endpoint.h"

namespace atelier::serve {

// Calls `piece` once a turn until it says false or fails, then `finish`; nothing more once the client has gone. An error of the work is
// sent as the answer. The returned one: nothing was begun.
std::optional<ApiError> run_in_turns(const Call& call, std::function<Result<bool>()> piece, std::function<void()> finish);

}  // namespace atelier::serve
