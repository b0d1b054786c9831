#include "atelier/tokenize/jinja/strftime.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "atelier/tokenize/jinja/budget.h"

namespace atelier::tokenize::jinja {

namespace {

constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};

struct Moment {
  int year;
  int month, day;  // from 1
  int hour, minute, second;
  int weekday;      // 0 is Sunday
  int day_of_year;  // from 1
  int iso_year, iso_week;
  int64_t unix_time_s;
};

Moment moment_of(int64_t unix_time_s) {
  using namespace std::chrono;
  constexpr int64_t kMax = 253402300799;  // the last second of the year 9999, where Python's datetime ends
  unix_time_s = std::clamp<int64_t>(unix_time_s, 0, kMax);
  sys_seconds time{seconds(unix_time_s)};
  sys_days date = floor<days>(time);
  year_month_day ymd{date};
  hh_mm_ss clock{time - date};
  sys_days thursday = date - (weekday(date) - Monday) + days(3);  // its year and week are those of the ISO week
  year iso_year = year_month_day(thursday).year();
  return {.year = static_cast<int>(ymd.year()),
          .month = static_cast<int>(static_cast<unsigned>(ymd.month())),
          .day = static_cast<int>(static_cast<unsigned>(ymd.day())),
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .weekday = static_cast<int>(weekday(date).c_encoding()),
          .day_of_year = static_cast<int>((date - sys_days(ymd.year() / January / 1)).count()) + 1,
          .iso_year = static_cast<int>(iso_year),
          .iso_week = static_cast<int>((thursday - sys_days(iso_year / January / 1)).count()) / 7 + 1,
          .unix_time_s = unix_time_s};
}

// A number of `width` digits, padded with zeros or, for a negative width, with spaces.
std::string number(int value, int width, bool is_padded) {
  if (!is_padded) return std::to_string(value);
  return width < 0 ? fmt::format("{:{}d}", value, -width) : fmt::format("{:0{}d}", value, width);
}

std::string directive(char c, bool is_padded, const Moment& m) {
  int hour12 = m.hour % 12 == 0 ? 12 : m.hour % 12;
  switch (c) {
    case 'a':
      return std::string(kDays[m.weekday], 3);
    case 'A':
      return kDays[m.weekday];
    case 'b':
    case 'h':
      return std::string(kMonths[m.month - 1], 3);
    case 'B':
      return kMonths[m.month - 1];
    case 'C':
      return number(m.year / 100, 2, is_padded);
    case 'd':
      return number(m.day, 2, is_padded);
    case 'e':
      return number(m.day, -2, is_padded);
    case 'f':
      return "000000";
    case 'G':
      return std::to_string(m.iso_year);
    case 'g':
      return number(m.iso_year % 100, 2, is_padded);
    case 'H':
      return number(m.hour, 2, is_padded);
    case 'I':
      return number(hour12, 2, is_padded);
    case 'j':
      return number(m.day_of_year, 3, is_padded);
    case 'k':
      return number(m.hour, -2, is_padded);
    case 'l':
      return number(hour12, -2, is_padded);
    case 'm':
      return number(m.month, 2, is_padded);
    case 'M':
      return number(m.minute, 2, is_padded);
    case 'n':
      return "\n";
    case 'p':
      return m.hour < 12 ? "AM" : "PM";
    case 'P':
      return m.hour < 12 ? "am" : "pm";
    case 's':
      return std::to_string(m.unix_time_s);
    case 'S':
      return number(m.second, 2, is_padded);
    case 't':
      return "\t";
    case 'u':
      return std::to_string(m.weekday == 0 ? 7 : m.weekday);
    case 'U':
      return number((m.day_of_year + 6 - m.weekday) / 7, 2, is_padded);
    case 'V':
      return number(m.iso_week, 2, is_padded);
    case 'w':
      return std::to_string(m.weekday);
    case 'W':
      return number((m.day_of_year + 6 - (m.weekday + 6) % 7) / 7, 2, is_padded);
    case 'y':
      return number(m.year % 100, 2, is_padded);
    case 'Y':
      return std::to_string(m.year);
    case 'z':
    case 'Z':
      return "";  // datetime.now() knows no zone
    case '%':
      return "%";
    default:
      throw TemplateError(std::string("strftime_now() does not know %") + c, StatusCode::kUnsupported);
  }
}

// Directives that stand for others.
std::string_view expansion(char c) {
  switch (c) {
    case 'c':
      return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
      return "%m/%d/%y";
    case 'F':
      return "%Y-%m-%d";
    case 'r':
      return "%I:%M:%S %p";
    case 'R':
      return "%H:%M";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    default:
      return {};
  }
}

void append_time(std::string& out, std::string_view format, const Moment& m) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    bool is_padded = format[i + 1] != '-' || i + 2 == format.size();
    i += is_padded ? 1 : 2;
    if (std::string_view longer = expansion(format[i]); !longer.empty()) {
      append_time(out, longer, m);
    } else {
      out += directive(format[i], is_padded, m);
    }
    if (out.size() > kMaxText) throw TemplateError("a date grows over 16 MiB", StatusCode::kOutOfRange);
  }
}

}  // namespace

std::string format_time(std::string_view format, int64_t unix_time_s) {
  std::string out;
  append_time(out, format, moment_of(unix_time_s));
  return out;
}

}  // namespace atelier::tokenize::jinja
