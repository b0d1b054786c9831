#include "atelier/tokenize/jinja/strftime.h"

#include <gtest/gtest.h>

#include <ctime>

#include "atelier/tokenize/jinja/error.h"

namespace atelier::tokenize::jinja {
namespace {

TEST(Strftime, writes_the_dates_that_templates_print) {
  EXPECT_EQ(format_time("%d %b %Y", 1721997296), "26 Jul 2024");
  EXPECT_EQ(format_time("%B %-d, %Y %H:%M", 1721997296), "July 26, 2024 12:34");
}

TEST(Strftime, agrees_with_the_c_library_on_every_directive_it_knows) {
  const std::string format = "%a %A %b %B %C %d %D %e %F %G %g %H %I %j %m %M %p %R %S %T %u %U %V %w %W %x %X %y %Y %c %r";
  for (int64_t time = 0; time < 4102444800; time += 86399 * 37) {  // 1970 to 2100, every day of the week and of the year
    time_t seconds = time;
    tm parts{};
    gmtime_r(&seconds, &parts);
    char buffer[400];
    ASSERT_GT(strftime(buffer, sizeof buffer, format.c_str(), &parts), 0u);
    ASSERT_EQ(format_time(format, time), buffer);
  }
}

TEST(Strftime, refuses_what_it_does_not_know_and_keeps_a_lone_percent) {
  EXPECT_THROW(format_time("%Q", 0), TemplateError);
  EXPECT_EQ(format_time("100%", 0), "100%");
}

}  // namespace
}  // namespace atelier::tokenize::jinja
