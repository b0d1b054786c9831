// The learning rate of each step: a warm-up, then a shape.
//
// With u the step's number from 1, w the steps of warm-up, n all steps, and f = (u - 1 - w) / (end - w) the part of the decay that is done:
//
//   u <= w         rate u / (w + 1)                                            (nanoGPT: the first step is not wasted on a rate of 0)
//   constant       rate
//   linear         floor + (rate - floor) (1 - f)                              (BERT)
//   cosine         floor + (rate - floor) (1 + cos(pi f)) / 2                  (GPT-3, nanoGPT)
//   inverse_sqrt   rate sqrt((w + 1) / u)                                      (T5, Marian)
//   noam           rate width^-1/2 min(u^-1/2, u w^-3/2), its own warm-up      (Vaswani et al. 2017, eq. 3)
//   wsd            rate, then over the last decay_steps floor + (rate - floor) (1 - sqrt(f))        (Haegele et al. 2024, arXiv:2405.18392)
//
// `end` is decay_steps where it is given (not for wsd, whose decay ends with the run), else n; behind it the rate is `floor`.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace atelier::optim {

struct ScheduleOptions {
  std::string shape = "constant";  // a name of schedule_shapes()
  double learning_rate = 1e-3;     // rate
  double min_learning_rate = 0;    // floor
  int64_t num_steps = 1;           // n
  int64_t warmup_steps = 0;        // w
  int64_t decay_steps = 0;         // 0: n; wsd: a fifth of n
  int64_t width = 512;             // noam: the model's
};

// Names of shapes, sorted.
std::span<const char* const> schedule_shapes();

// The learning rate of step u = 1, 2, ...; InternalError for a shape that does not exist.
double learning_rate_at(const ScheduleOptions& options, int64_t u);

}  // namespace atelier::optim
