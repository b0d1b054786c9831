// What one rendering may spend. Every loop of the engine charges a Budget, so that any template ends soon and stays small.
#pragma once

#include <cstddef>
#include <cstdint>

#include "atelier/tokenize/jinja/error.h"

namespace atelier::tokenize::jinja {

constexpr size_t kMaxText = size_t{16} << 20;        // bytes of one string, and of the output
constexpr size_t kMaxSteps = 1'000'000;              // nodes evaluated and list items made
constexpr size_t kMaxLiveBytes = size_t{128} << 20;  // bytes of all strings alive at once
constexpr size_t kMaxWorkBytes = size_t{2} << 30;    // bytes copied, searched or compared
constexpr int kMaxRecursion = 100;                   // macros and recursive loops inside each other; nesting of the source
constexpr int kMaxEvaluation = 1000;                 // expressions and statements inside each other while rendering
constexpr int kMaxValueDepth = 200;                  // lists and dicts inside each other
constexpr int64_t kMaxRange = 100'000;               // items of range(), as in Jinja's sandbox

class Budget {
 public:
  void step(size_t n = 1) {
    steps_ += n;
    if (steps_ > kMaxSteps || n > kMaxSteps) {
      throw TemplateError("the template takes more than 1,000,000 steps", StatusCode::kOutOfRange);
    }
  }
  void work(size_t bytes) {
    work_bytes_ += bytes;
    if (work_bytes_ > kMaxWorkBytes) throw TemplateError("the template moves more than 2 GiB of text", StatusCode::kOutOfRange);
  }
  void allocate(size_t bytes) {
    if (live_bytes_ + bytes > kMaxLiveBytes) {
      throw TemplateError("the template holds more than 128 MiB of text at once", StatusCode::kOutOfRange);
    }
    live_bytes_ += bytes;
  }
  void release(size_t bytes) { live_bytes_ -= bytes; }

 private:
  size_t steps_ = 0;
  size_t work_bytes_ = 0;
  size_t live_bytes_ = 0;
};

// Counts one level of recursion for as long as it lives.
class DepthGuard {
 public:
  DepthGuard(int& depth, int limit, const char* what) : depth_(depth) {
    if (depth >= limit) throw TemplateError(std::string(what) + " nested deeper than " + std::to_string(limit), StatusCode::kOutOfRange);
    ++depth_;
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace atelier::tokenize::jinja
