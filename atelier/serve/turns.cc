#include "atelier/serve/turns.h"

#include <fmt/format.h>

#include <atomic>

#include "atelier/base/log.h"

namespace atelier::serve {
namespace {

struct Work {
  EngineThread& engines;
  std::shared_ptr<http::Reply> reply;
  Shape shape;
  std::function<Result<bool>()> piece;
  std::function<void()> finish;
  std::atomic<bool> is_gone = false;
};

std::optional<ApiError> queue(const std::shared_ptr<Work>& work);

// Whether there is more to do, or why it ends.
std::optional<ApiError> take_turn(const std::shared_ptr<Work>& work) {
  const Result<bool> has_more = work->piece();
  if (!has_more.ok()) return api_error(has_more.status());
  if (*has_more) return queue(work);
  work->finish();
  return std::nullopt;
}

std::optional<ApiError> queue(const std::shared_ptr<Work>& work) {
  return refusal(work->engines.run_between_steps([work] {
    if (work->is_gone) return;
    std::optional<ApiError> error;
    try {
      error = take_turn(work);
    } catch (const std::bad_alloc&) {
      error = ApiError{503, "memory: exhausted; try again later", "", "", 5};
    } catch (const std::exception& exception) {
      log(LogLevel::kError, fmt::format("internal: {}, this should not happen; please report it", exception.what()));
      error = ApiError{500, "internal: this should not happen; see the server's log"};
    }
    if (error) work->reply->send(error_response(*error, work->shape));
  }));
}

}  // namespace

std::optional<ApiError> run_in_turns(const Call& call, std::function<Result<bool>()> piece, std::function<void()> finish) {
  const std::shared_ptr<Work> work(new Work{call.engines, call.reply, call.shape, std::move(piece), std::move(finish)});
  if (auto error = queue(work)) return error;
  call.reply->on_gone([gone = std::weak_ptr(work)] {
    if (const auto left = gone.lock()) left->is_gone = true;
  });
  return std::nullopt;
}

}  // namespace atelier::serve
