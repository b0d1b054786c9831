#include "atelier/optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"

namespace atelier::optim {
namespace {

// f, within [0, 1], of a decay over steps (begin, end].
double done_part(int64_t u, int64_t begin, int64_t end) {
  return std::clamp(static_cast<double>(u - 1 - begin) / static_cast<double>(std::max<int64_t>(1, end - begin)), 0.0, 1.0);
}

int64_t decay_end(const ScheduleOptions& o) { return o.decay_steps > 0 ? o.decay_steps : o.num_steps; }

double between(const ScheduleOptions& o, double part) { return o.min_learning_rate + (o.learning_rate - o.min_learning_rate) * part; }

double constant(const ScheduleOptions& o, int64_t) { return o.learning_rate; }
double linear(const ScheduleOptions& o, int64_t u) { return between(o, 1 - done_part(u, o.warmup_steps, decay_end(o))); }
double cosine(const ScheduleOptions& o, int64_t u) {
  return between(o, 0.5 * (1 + std::cos(M_PI * done_part(u, o.warmup_steps, decay_end(o)))));
}
double inverse_sqrt(const ScheduleOptions& o, int64_t u) {
  return o.learning_rate * std::sqrt(static_cast<double>(o.warmup_steps + 1) / static_cast<double>(u));
}
double noam(const ScheduleOptions& o, int64_t u) {
  const auto step = static_cast<double>(u), warmup = static_cast<double>(std::max<int64_t>(1, o.warmup_steps));
  return o.learning_rate / std::sqrt(static_cast<double>(o.width)) * std::min(1 / std::sqrt(step), step / std::pow(warmup, 1.5));
}
double wsd(const ScheduleOptions& o, int64_t u) {
  const int64_t decay = o.decay_steps > 0 ? o.decay_steps : std::max<int64_t>(1, o.num_steps / 5);
  return between(o, 1 - std::sqrt(done_part(u, std::max(o.warmup_steps, o.num_steps - decay), o.num_steps)));
}

struct ShapeDef {
  const char* name;
  bool has_own_warmup;
  double (*rate)(const ScheduleOptions&, int64_t u);
};
constexpr ShapeDef kShapes[] = {{"constant", false, constant}, {"cosine", false, cosine}, {"inverse_sqrt", false, inverse_sqrt},
                                {"linear", false, linear},     {"noam", true, noam},      {"wsd", false, wsd}};
constexpr const char* kNames[] = {"constant", "cosine", "inverse_sqrt", "linear", "noam", "wsd"};
static_assert(std::size(kShapes) == std::size(kNames));

}  // namespace

std::span<const char* const> schedule_shapes() { return kNames; }

double learning_rate_at(const ScheduleOptions& options, int64_t u) {
  const auto* shape = std::find_if(std::begin(kShapes), std::end(kShapes), [&](const ShapeDef& s) { return options.shape == s.name; });
  ATELIER_CHECK(shape != std::end(kShapes) && u >= 1);
  if (!shape->has_own_warmup && u <= options.warmup_steps) {
    return options.learning_rate * static_cast<double>(u) / static_cast<double>(options.warmup_steps + 1);
  }
  return shape->rate(options, u);
}

}  // namespace atelier::optim
