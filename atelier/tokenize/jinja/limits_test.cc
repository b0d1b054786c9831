// No template and no input makes the engine crash, hang or eat the memory.
#include <gtest/gtest.h>

#include "atelier/tokenize/jinja/test_render.h"

namespace atelier::tokenize::jinja {
namespace {

std::string repeated(const std::string& part, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += part;
  return out;
}

void expect_refused(const std::string& source, const std::string& why) {
  auto chat = render(source);
  ASSERT_FALSE(chat.ok()) << source.substr(0, 200) << " gave " << chat->text.substr(0, 200);
  EXPECT_NE(chat.status().message().find(why), std::string::npos) << chat.status().message();
}

TEST(Limits, deep_nesting_of_the_source_is_refused) {
  for (size_t depth : {200, 50'000}) {
    expect_refused("{{ " + repeated("(", depth) + "1" + repeated(")", depth) + " }}", "nested deeper than 100");
    expect_refused("{{ " + repeated("[", depth) + "1" + repeated("]", depth) + " }}", "nested deeper than 100");
    expect_refused("{{ " + repeated("-", depth) + "1 }}", "nested deeper than 100");
    expect_refused("{{ " + repeated("not ", depth) + "1 }}", "nested deeper than 100");
    expect_refused("{{ " + repeated("1 if 1 else ", depth) + "1 }}", "nested deeper than 100");
    expect_refused("{{ x" + repeated(".a", depth) + " }}", "nested deeper than 100");
    expect_refused("{{ x" + repeated("|e", depth) + " }}", "nested deeper than 100");
    expect_refused(repeated("{% if 1 %}", depth), "nested deeper than 100");
    expect_refused("{% set " + repeated("(", depth) + "x" + repeated(")", depth) + " = 1 %}", "nested deeper than 100");
  }
}

TEST(Limits, long_flat_expressions_are_fine) {
  EXPECT_EQ(text_of("{{ 0" + repeated(" + 1", 20'000) + " }}"), "20000");
  EXPECT_EQ(text_of("{{ ''" + repeated(" ~ 'a'", 5'000) + " }}").size(), 5'000u);
  EXPECT_EQ(text_of("{{ 1" + repeated(" and 1", 20'000) + " }}"), "1");
  EXPECT_EQ(text_of("{% if 0 %}" + repeated("{% elif 0 %}", 20'000) + "{% else %}x{% endif %}"), "x");
}

TEST(Limits, texts_cannot_grow_without_bound) {
  expect_refused("{{ 'x' * 999999999999 }}", "16 MiB");
  expect_refused("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "16 MiB");
  expect_refused("{{ ('a' * 10000000)|replace('a', 'bbbb') }}", "16 MiB");
  expect_refused("{{ 'x'.center(99999999999) }}", "16 MiB");
  expect_refused("{{ '%99999999999d' % 1 }}", "16 MiB");
  expect_refused("{{ '{:99999999999}'.format(1) }}", "16 MiB");
  expect_refused("{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}", "16 MiB");
  expect_refused("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "1,000,000 steps");
}

TEST(Limits, text_alive_at_once_is_bounded) {
  expect_refused("{% set ns = namespace(l=[]) %}{% for i in range(100) %}{% set ns.l = ns.l + [('x' * 15000000) ~ i] %}{% endfor %}",
                 "128 MiB");
}

TEST(Limits, lists_cannot_grow_without_bound) {
  expect_refused("{{ [0] * 999999999 }}", "1,000,000 items");
  expect_refused("{{ range(99999999999) }}", "Range too big");
  expect_refused("{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", "1,000,000 steps");
  expect_refused("{{ [1]|batch(999999999, 0)|list }}", "1,000,000 steps");
  expect_refused("{{ [1]|slice(999999999)|list }}", "1,000,000 steps");
}

TEST(Limits, values_cannot_nest_without_bound) {
  expect_refused("{% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% endfor %}", "nested deeper than 200");
  // Shared parts make this list 2^150 items when walked.
  std::string shared = "{% set ns = namespace(l=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}";
  expect_refused(shared + "{{ ns.l }}", "steps");
  expect_refused(shared + "{{ ns.l|tojson }}", "steps");
  expect_refused(shared + "{{ ns.l == [ns.l, 1][0] and ns.l < ns.l }}", "steps");
  expect_refused("{% set ns = namespace(l=(1,)) %}{% for i in range(150) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }}",
                 "too large");
}

TEST(Limits, recursion_is_bounded) {
  expect_refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested deeper than 100");
  expect_refused("{% macro f(x) %}{{ [[[[x]]]]|map('first')|list }}{{ f(f) }}{% endmacro %}{{ f(1) }}", "nested deeper than 100");
  expect_refused("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "nested deeper than 100");
}

TEST(Limits, nested_calls_of_nested_expressions_stay_inside_the_stack) {
  std::string inside = repeated("[", 40) + "f(x)" + repeated("]", 40);
  expect_refused("{% macro f(x) %}{{ " + inside + " }}{% endmacro %}{{ f(1) }}", "nested deeper than 1000");
  expect_refused("{% macro f(x) %}" + repeated("{% if x %}", 8) + "{{ " + inside + "|first }}" + repeated("{% endif %}", 8) +
                     "{% endmacro %}{{ f(1) }}",
                 "nested deeper than 1000");
}

TEST(Limits, cycles_through_namespaces_and_loops_do_no_harm) {
  EXPECT_EQ(text_of("{% set a = namespace() %}{% set a.a = a %}{% set a.l = [a] %}ok"), "ok");
  EXPECT_EQ(text_of("{% for i in [1, 2] %}{{ loop.changed(loop) }}{% endfor %}"), "TrueFalse");
  EXPECT_EQ(text_of("{% macro f() %}{% endmacro %}{% set g = f %}{% set ns = namespace(f=f) %}{% set ns.ns = [ns, f] %}ok"), "ok");
  EXPECT_EQ(
      text_of("{% set ns = namespace(p=none) %}{% for i in range(9999) %}{% set n = namespace(p=ns.p) %}{% set ns.p = n %}{% endfor %}ok"),
      "ok");
}

TEST(Limits, a_search_is_linear_in_the_text) {
  EXPECT_EQ(text_of("{{ ('a' * 8000000).find('a' * 4000000 ~ 'b') }}"), "-1");
  EXPECT_EQ(text_of("{{ ('a' * 8000000).count('a') }}"), "8000000");
}

TEST(Limits, integers_do_not_wrap) {
  expect_refused("{{ 9223372036854775807 + 1 }}", "64 bits");
  expect_refused("{{ 9223372036854775807 * 2 }}", "64 bits");
  expect_refused("{{ -(-9223372036854775807 - 1) }}", "64 bits");
  expect_refused("{{ (-9223372036854775807 - 1) // -1 }}", "64 bits");
  expect_refused("{{ 2 ** 64 }}", "64 bits");
  expect_refused("{{ 99999999999999999999 }}", "out of range");
  EXPECT_EQ(text_of("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
}

TEST(Limits, every_prefix_of_a_template_parses_or_is_refused) {
  const std::string source =
      "{%- for m in messages|selectattr('a', 'eq', \"x\\n\") if m[1:2] -%}{{ m.x ~ {'a': (1, 2.5e3)}['a'] }}{# c #}{% raw %}{{{% endraw %}"
      "{% macro f(a, b=1) %}{% call(x) f(*a, **b) %}{% endcall %}{% endmacro %}{%- endfor %}";
  for (size_t size = 0; size <= source.size(); ++size) {
    auto chat = render(source.substr(0, size));
    if (!chat.ok()) {
      EXPECT_EQ(chat.status().message().find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace atelier::tokenize::jinja
