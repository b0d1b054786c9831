// Which bytes of the output count as the template's own.
#include <gtest/gtest.h>

#include "atelier/tokenize/jinja/test_render.h"

namespace atelier::tokenize::jinja {
namespace {

const char* const kVariables =
    R"({"x": "hello", "n": 5, "t": true, "nil": null, "f": 1.5, "l": ["a", "b"], "d": {"k": "v"}, "mixed": " Ab,cD "})";

std::string marked(const std::string& source) { return jinja::marked(source, kVariables); }

TEST(Provenance, literals_are_the_templates_and_variables_are_not) {
  EXPECT_EQ(marked("a{{ 'b' }}{{ x }}c"), "ab[x:hello]c");
  EXPECT_EQ(marked("{{ 5 }}{{ true }}{{ 'x' * 2 }}"), "5Truexx");
}

TEST(Provenance, scalars_from_data_print_as_data) {
  EXPECT_EQ(marked("{{ n }}|{{ t }}|{{ nil }}|{{ f }}"), "[n:5]|[t:True]|[nil:None]|[f:1.5]");
  EXPECT_EQ(marked("{{ n + 1 }}|{{ 2 * n }}|{{ -n }}|{{ n > 3 }}|{{ not t }}"), "[n:6]|[n:10]|[n:-5]|[n:True]|[t:False]");
  EXPECT_EQ(marked("{{ x|length }}|{{ l|length }}|{{ 'abc'|length }}"), "[x:5]|[l:2]|3");
  EXPECT_EQ(marked("{{ n|string }}{{ '5'|int }}{{ n|float }}"), "[n:5]5[n:5.0]");
}

TEST(Provenance, concatenation_keeps_each_part) {
  EXPECT_EQ(marked("{{ '<' + x + '>' }}"), "<[x:hello]>");
  EXPECT_EQ(marked("{{ '<' ~ n ~ '>' }}"), "<[n:5]>");
  EXPECT_EQ(marked("{% set s = '<' + x %}{% set s = s + '>' %}{{ s }}"), "<[x:hello]>");
}

TEST(Provenance, slices_and_indices_take_their_part) {
  EXPECT_EQ(marked("{{ ('<' + x + '>')[:3] }}"), "<[x:he]");
  EXPECT_EQ(marked("{{ ('<' + x + '>')[::-1] }}"), ">[x:olleh]<");
  EXPECT_EQ(marked("{{ ('<' + x)[0] }}{{ ('<' + x)[1] }}{{ ('<' + x)|first }}{{ ('<' + x)|last }}"), "<[x:h]<[x:o]");
  EXPECT_EQ(marked("{% for c in '<' + x %}{{ c }}.{% endfor %}"), "<.[x:h].[x:e].[x:l].[x:l].[x:o].");
}

TEST(Provenance, case_and_strip_follow_the_characters) {
  EXPECT_EQ(marked("{{ ('<ß' + x)|upper }}"), "<SS[x:HELLO]");
  EXPECT_EQ(marked("{{ (' <' + mixed)|trim }}"), "<[mixed: Ab,cD]");
  EXPECT_EQ(marked("{{ mixed.strip().lower() }}|{{ x|capitalize }}|{{ x|title }}"), "[mixed:ab,cd]|[x:Hello]|[x:Hello]");
}

TEST(Provenance, replace_inserts_its_argument_with_the_arguments_origin) {
  EXPECT_EQ(marked("{{ x|replace('l', '<l>') }}"), "[x:he]<l><l>[x:o]");
  EXPECT_EQ(marked("{{ 'a-b'.replace('-', x) }}"), "a[x:hello]b");
}

TEST(Provenance, split_and_join_keep_the_parts) {
  EXPECT_EQ(marked("{{ mixed.split(',')[-1] }}"), "[mixed:cD ]");
  EXPECT_EQ(marked("{{ l|join('<sep>') }}"), "[l[0]:a]<sep>[l[1]:b]");
  EXPECT_EQ(marked("{{ x.join(['1', '2']) }}"), "1[x:hello]2");
  EXPECT_EQ(marked("{{ x.partition('l')|join('|') }}"), "[x:he]|[x:l]|[x:lo]");
}

TEST(Provenance, a_piece_cut_out_of_a_message_stays_the_messages) {
  EXPECT_EQ(jinja::marked("{{ m.split('</think>')[-1] }}", R"({"m": "a</think><|im_end|>"})"), "[m:<|im_end|>]");
  EXPECT_EQ(jinja::marked("{% if m == '<|im_end|>' %}{{ m }}{% endif %}", R"({"m": "<|im_end|>"})"), "[m:<|im_end|>]");
  EXPECT_EQ(
      jinja::marked("{{ {'<|im_end|>': 1}[m] }}{% for k in d %}{{ k }}{% endfor %}", R"({"m": "<|im_end|>", "d": {"<|im_end|>": 1}})"),
      "1[d.<|im_end|>:<|im_end|>]");
}

TEST(Provenance, json_of_input_is_one_run_of_its_path) {
  EXPECT_EQ(marked("{{ d|tojson }}"), R"([d:{"k": "v"}])");
  EXPECT_EQ(marked("{{ l|tojson(indent=1) }}"), "[l:[\n \"a\",\n \"b\"\n]]");
  EXPECT_EQ(marked("{{ x|tojson }}"), R"([x:"hello"])");
}

TEST(Provenance, json_that_the_template_builds_keeps_its_punctuation) {
  EXPECT_EQ(marked("{{ {'a': x, 'b': 'c'}|tojson }}"), R"({"a": [x:"hello"], "b": "c"})");
  EXPECT_EQ(marked("{{ ['<', n]|tojson }}"), R"(["<", [n:5]])");
}

TEST(Provenance, repr_of_containers_follows_the_same_rule) {
  EXPECT_EQ(marked("{{ ['<', x] }}"), "['<', [x:'hello']]");
  EXPECT_EQ(marked("{{ d }}"), "[d:{][d.k:'k'][d:: ][d.k:'v'][d:}]");
}

TEST(Provenance, formatting_keeps_the_origin_of_its_parts) {
  EXPECT_EQ(marked("{{ '<%s|%d>' % (x, n) }}"), "<[x:hello]|[n:5]>");
  EXPECT_EQ(marked("{{ '<{}|{:>3}>'.format(x, n) }}"), "<[x:hello]|  [n:5]>");
  EXPECT_EQ(marked("{{ x|indent(2, true) }}"), "  [x:hello]");
}

TEST(Provenance, blocks_and_macros_keep_it) {
  EXPECT_EQ(marked("{% set b %}<{{ x }}>{% endset %}{{ b }}"), "<[x:hello]>");
  EXPECT_EQ(marked("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) }}"), "<[x:hello]>");
  EXPECT_EQ(marked("{% filter upper %}<{{ x }}{% endfilter %}"), "<[x:HELLO]");
  EXPECT_EQ(marked("{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}{{ x }}{% endcall %}"), "([x:hello])");
}

TEST(Provenance, a_format_that_comes_from_data_stays_data) {
  EXPECT_EQ(jinja::marked("{{ strftime_now(f) }}|{{ strftime_now('%Y') }}", R"({"f": "<|x|>%Y"})"), "[f:<|x|>1970]|1970");
}

TEST(Provenance, sorting_and_selecting_moves_values_with_their_origin) {
  EXPECT_EQ(marked("{{ (l + ['<'])|sort|join(',') }}"), "<,[l[0]:a],[l[1]:b]");
  EXPECT_EQ(marked("{{ l|reverse|join }}|{{ l|select('equalto', 'a')|first }}"), "[l[1]:b][l[0]:a]|[l[0]:a]");
}

TEST(Provenance, generation_blocks_are_ranges_of_the_text) {
  auto chat = render(
      "a{% generation %}b{{ x }}{% endgeneration %}c{% generation %}d{% endgeneration %}{% generation %}e{% endgeneration %}", kVariables);
  ASSERT_TRUE(chat.ok()) << chat.status().message();
  EXPECT_EQ(chat->text, "abhellocde");
  std::vector<std::pair<size_t, size_t>> want = {{1, 7}, {8, 9}, {9, 10}};
  EXPECT_EQ(chat->generation, want);
}

TEST(Provenance, generation_ranges_survive_a_macro_and_a_filter) {
  auto chat = render("{% macro m() %}{% generation %}{{ x }} {% endgeneration %}!{% endmacro %}>{{ m()|replace('e', '-') }}", kVariables);
  ASSERT_TRUE(chat.ok()) << chat.status().message();
  EXPECT_EQ(chat->text, ">h-llo !");
  std::vector<std::pair<size_t, size_t>> want = {{1, 2}, {3, 7}};
  EXPECT_EQ(chat->generation, want);
}

}  // namespace
}  // namespace atelier::tokenize::jinja
