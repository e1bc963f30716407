#include "src/text/jinja.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace galago::text {
namespace {

using ::testing::HasSubstr;

StatusOr<std::string> Render(std::string_view source, const JinjaLimits& limits = {}) {
  auto parsed = JinjaTemplate::Parse(source, limits);
  if (!parsed.ok()) return parsed.status();
  JinjaInput input;
  input.messages = {{"user", " Hi "}, {"assistant", "Yes."}};
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  return parsed->Render(input);
}

struct Case {
  const char* source;
  const char* want;
};

// Expected texts are what Jinja 3 gives with trim_blocks and lstrip_blocks.
TEST(Jinja, RendersAsJinjaDoes) {
  const Case cases[] = {
      {"a{{ 1 + 2 * 3 }}b", "a7b"},
      {"{{ 'x' ~ 1 ~ none ~ true }}", "x1NoneTrue"},
      {"{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2.0 }}", "3 -4 2 3.5 2.0"},
      {"{{ 'a' if false }}|{{ 'a' if 0 else 'b' }}", "|b"},
      {"{{ missing }}|{{ missing is defined }}|{{ missing|default('d') }}", "|False|d"},
      {"{{ messages[0].content.strip() }}|{{ messages[-1]['role'] }}", "Hi|assistant"},
      {"{{ messages[0]['content'] | trim | upper }}", "HI"},
      {"{% for m in messages %}{{ loop.index0 }}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}",
       "0user,1assistant"},
      {"{% for m in messages if m.role == 'user' %}{{ loop.length }}{% else %}none{% endfor %}", "1"},
      {"{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"},
      {"{% set x = 1 %}{% for i in range(3) %}{% set x = i %}{% endfor %}{{ x }}", "1"},
      {"{% set ns = namespace(x=0) %}{% for i in range(4) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "6"},
      {"{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% "
       "endfor %}",
       "02"},
      {"  {% if true %}\n  yes\n  {% endif %}\nend\n", "  yes\nend"},
      {"a \n {%- if true -%} \n b \n {%- endif %} c", "ab c"},
      {"x {# note #}\ny", "x y"},
      {"{{ 'abcdef'[1:4] }}{{ 'abc'[::-1] }}{{ [1, 2, 3][1:] }}", "bcdcba[2, 3]"},
      {"{{ 'äöü'|length }}{{ 'äöü'[1] }}", "3ö"},
      {"{{ {'a': [1, none, true, 'x\"']}|tojson }}", "{\"a\": [1, null, true, \"x\\\"\"]}"},
      {"{{ [1, 2]|tojson(indent=2) }}", "[\n  1,\n  2\n]"},
      {"{{ ['a', 'b']|join(', ') }}{{ 'a,b'.split(',')|last }}", "a, bb"},
      {"{{ 'x' in 'xyz' }}{{ 3 not in [1, 2] }}{{ 1 < 2 <= 2 }}", "TrueTrueTrue"},
      {"{{ 'Hi' is string and 5 is not string }}{{ 4 is divisibleby 2 }}", "TrueTrue"},
      {"{% macro m(a, b='y') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }}{{ m('x', b=1) }}", "xyx1"},
      {"{% set t %}in {{ 1 }}{% endset %}{{ t|upper }}", "IN 1"},
      {"{{ messages|map(attribute='role')|join('+') }}", "user+assistant"},
      {"{{ messages|selectattr('role', 'equalto', 'user')|list|length }}", "1"},
      {"{{ (messages|first).role }}{{ bos_token }}{{ add_generation_prompt }}", "user<s>True"},
      {"{{ 'a'.startswith('a') and 'b'.endswith(('x', 'b')) }}{{ 'aXbX'.replace('X', '', 1) }}", "TrueabX"},
      {"{{ tools is none }}{{ strftime_now is defined }}", "TrueFalse"},
      {"{{ {'k': 1}.get('k') }}{{ {'k': 1}.get('z', 2) }}{{ 'k' in {'k': 1} }}", "12True"},
  };
  for (const Case& one : cases) {
    const auto got = Render(one.source);
    ASSERT_TRUE(got.ok()) << one.source << ": " << got.status();
    EXPECT_EQ(*got, one.want) << one.source;
  }
}

TEST(Jinja, NamesTheLineOfWhatItDoesNotKnow) {
  const Case cases[] = {{"\n\n{% include 'x' %}", "line 3"},
                        {"{{ 1 }}\n{{ 'a'|nosuch }}", "line 2"},
                        {"{{ a b }}", "line 1"},
                        {"\n{% if x %}", "line 2"},
                        {"{{ 'x'.nosuch() }}", "not a function"},
                        {"{{ missing.x }}", "undefined"},
                        {"{{ raise_exception('why') }}", "why"},
                        {"{{ 1 / 0 }}", "division by zero"},
                        {"{{ 'a' - 1 }}", "\"-\""},
                        {"{{ 2 ** 3 }}", "**"},
                        {"{{ 'unclosed }}", "does not end"},
                        {"{{ 9223372036854775807 + 1 }}", "out of range"},
                        {"{% for x in 5 %}{% endfor %}", "looped"}};
  for (const Case& one : cases) {
    const auto got = Render(one.source);
    ASSERT_FALSE(got.ok()) << one.source;
    EXPECT_THAT(MessageOf(got.status()), HasSubstr(one.want)) << one.source;
  }
}

TEST(Jinja, HostileTemplatesEndWithAnError) {
  std::string deep_parens(5000, '(');
  std::string chain = "{{ 1";
  for (int i = 0; i < 5000; ++i) chain += "+1";
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "{% if 1 %}";
  const std::string bombs[] = {
      "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
      "{{ 'x' * 999999999999 }}",
      "{{ range(999999999999)|length }}",
      "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
      "{% set ns = namespace(s='xx') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('x', ns.s) %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1]) %}{% for i in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{{ " + deep_parens,
      chain + " }}",
      blocks,
  };
  for (const std::string& bomb : bombs) {
    const auto got = Render(bomb);
    EXPECT_FALSE(got.ok()) << bomb.substr(0, 80);
  }
  const auto self = Render("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.list = [ns] %}{{ ns }}");
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_EQ(*self, "<Namespace>");
}

}  // namespace
}  // namespace galago::text
