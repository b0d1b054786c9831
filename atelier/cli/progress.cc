#include "atelier/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "atelier/base/log.h"

namespace atelier::cli {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kQuietTime(2000);
constexpr milliseconds kBarInterval(200);
constexpr milliseconds kLineInterval(15000);
constexpr int kBarCells = 30;
}  // namespace

Progress::Progress(Console& console, std::string label, int64_t total)
    : console_(console), label_(std::move(label)), total_(std::max<int64_t>(1, total)), start_(Clock::now()), last_shown_(start_) {}

Progress::~Progress() {
  if (has_bar_) console_.err << "\r\x1b[K" << std::flush;
}

void Progress::set_total(int64_t total) { total_ = std::max<int64_t>(1, total); }

void Progress::update(int64_t done, const std::string& note) {
  const auto now = Clock::now();
  const bool is_bar = console_.is_err_terminal;
  if (now - start_ < kQuietTime || now - last_shown_ < (is_bar ? kBarInterval : kLineInterval)) return;
  last_shown_ = now;
  const double fraction = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
  const double left_s = fraction > 0 ? std::chrono::duration<double>(now - start_).count() * (1 - fraction) / fraction : 0;
  const std::string text = fmt::format("{} {:.0f}%{}{}, {:.0f} s left", label_, 100 * fraction, note.empty() ? "" : ", ", note, left_s);
  if (!is_bar) return log(LogLevel::kInfo, text);
  const int cells = static_cast<int>(fraction * kBarCells);
  console_.err << fmt::format("\r\x1b[K[{:#<{}}{:.<{}}] {}", "", cells, "", kBarCells - cells, text) << std::flush;
  has_bar_ = true;
}

}  // namespace atelier::cli
