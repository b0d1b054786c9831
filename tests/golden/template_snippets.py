"""Small templates that each ask one question of Jinja or Python; make_template_goldens.py writes down the answers.

A template is rendered with `VARIABLES` unless it comes as a pair (template, variables).
"""

VARIABLES = {
    "s": "Hello, Wörld",
    "empty": "",
    "ws": "  \t padded \n ",
    "n": 7,
    "neg": -3,
    "f": 2.5,
    "yes": True,
    "no": False,
    "nothing": None,
    "xs": [3, 1, 2],
    "words": ["banana", "Apple", "cherry", "apple"],
    "d": {"b": 1, "a": 2, "items": "shadow"},
    "users": [
        {"name": "Zoë", "age": 30, "tags": ["x", "y"], "pos": {"x": 1}},
        {"name": "Bob", "age": 25, "tags": [], "pos": {"x": 3}},
        {"name": "amy", "age": 30, "pos": {"x": 2}},
    ],
    "nested": {"a": [1, {"b": [True, None, 1.5, "q\"uo'te"]}], "é": "ü\n"},
    "uni": "日本語 ẞß ﬁ Σας ΑΣ 😀é",
    "html": "<a href=\"x\">&'",
    "multi": "line one\nline two\r\n\n  line four\u2028five\n",
}

EXPRESSIONS = r"""
1 + 2 * 3 - 4 / 2
7 // 2, -7 // 2, 7 // -2, -7 // -2
7 % 3, -7 % 3, 7 % -3, -7 % -3
7.5 // 2, -7.5 % 2, 7.5 % -2
2 ** 10, 2 ** -1, 2 ** 3 ** 2, (-8) ** 3
2 ** 0.5
1 / 0
1 // 0
1 % 0
1.0 / 0
-n, +n, --n, -f
-n|abs
-3|abs
(-3)|abs
n + f, n - f, n * f, n / f
yes + 1, yes * 3, -yes, +yes
1 == 1.0, 1 == true, "1" == 1, none == false, [] == [], [1] == (1,), {} == {}
{"a": 1, "b": 2} == {"b": 2, "a": 1}
1 < 2 < 3, 1 < 3 < 2, 1 == 1 != 2, 3 > 2 >= 2
"a" < "b", "B" < "a", "é" > "z", [1, 2] < [1, 3], (1,) < (1, 0)
1 < "a"
none < 1
[] < 1
s ~ n ~ nothing ~ yes ~ missing ~ f
"a" "b" 'c'
"a" + 1
1 + "a"
none + 1
[1] + (2,)
[1] + [2, 3], (1,) + (2,), "ab" * 3, 3 * "ab", [0] * 3, "ab" * -1, (1,) * 2
"a" - "b"
n and s, empty and s, n or s, empty or nothing or "x", not n, not empty
not n == 7, not (n == 7), not not n
1 if yes else 2, 1 if no else 2, (1 if no) is defined, 1 if no
"x" if yes
1 if no else 2 if no else 3
"a" in "banana", "x" in "banana", "" in "", 1 in [1, 2], "b" in d, "z" not in d, 1 not in (1,)
1 in "1"
1 in 5
none in [none], none in d
missing in [1]
"a" in missing
missing == missing2, missing is defined, missing is undefined, n is defined
missing
missing.attr
missing["x"]
missing()
missing + 1
missing|length, missing|list, missing|upper, missing|join, missing|default("d"), missing|first is defined
missing|int
missing|tojson
missing < 1
-missing
missing ~ "x"
"%s" % missing
d.a, d["b"], d.zzz is defined, d["zzz"] is defined, d.get("a"), d.get("q"), d.get("q", 5)
d["items"]
d.items()|list, d.keys()|list, d.values()|list
d.keys(), d.values(), d.items()
d|length, d|list, d|dictsort, d|items|list
d.copy(), d.copy().a
d.update({"x": 1})
d.pop("a")
d.setdefault("a", 1)
d.clear
d.clear is defined
xs.append(1)
xs.append is defined
xs.sort()
xs.index(1), xs.count(3), words.index("cherry")
xs.index(99)
xs.copy()
s.__class__
s.__class__ is defined
s.__class__.__mro__
d._x is defined
d.a.b.c
n.foo
nothing.foo
nothing.foo is defined
nothing["a"] is defined
xs[0], xs[-1], xs[5] is defined, xs["a"] is defined, s[0], s[-1], s[7], uni[1], uni[-2]
s[99] is defined
xs.0, users.0.name
xs[1:], xs[:2], xs[::-1], xs[-2:], xs[:-1], xs[5:], xs[::2], xs[2:0:-1], xs[-1:0:-1], xs[10:-10:-1]
s[1:4], s[::-1], s[-3:], s[:-3], s[::3], s[8:2:-2], s[3:3], uni[::-1], uni[1:5], uni[-2:]
s[none:3], s[:none]
s[::0]
s["a":]
d[1:2] is defined
xs[[1]] is defined
d[[1]] is defined
d[xs] is defined
{1: "a", 1.0: "b", true: "c"}
{"a": {"b": [1, 2.0, none, "x'y", 'q"r', "both'\""]}, 2: (1,), (1, 2): []}
{[1]: 2}
[1, "two", 3.0, none, true, [], {}, (), (1,), (1, 2)]
"tab\tnl\nbs\\q'\"" , ["tab\tnl\nbs\\q'\"\x00\x7f\u00e9\u200b\U0001F600"]
"\x41\u00e9\N{BULLET}\101\q\/"
'it''s'
1.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 0.1 + 0.2, 1e100, 1.5e300 * 1e10, -0.0, 100.0, 1e22
1_000, 0x1F, 0b101, 0o17, 1_0.5, 1.5e3, 2E2
1.e
9223372036854775807, -9223372036854775807 - 1
xs|sum, [1.5, 2]|sum, users|sum(attribute="age"), []|sum, [1]|sum(start=10)
["a"]|sum
xs|sort, xs|sort(reverse=true), words|sort, words|sort(case_sensitive=true), words|sort(true)
users|sort(attribute="age")|map(attribute="name")|list, users|sort(attribute="age,name")|map(attribute="name")|join(",")
users|sort(attribute="pos.x", reverse=true)|map(attribute="name")|join(",")
[1, "a"]|sort
words|unique|list, words|unique(true)|list, users|unique(attribute="age")|map(attribute="name")|list
xs|min, xs|max, words|min, words|max, users|min(attribute="age"), []|min is defined
xs|first, xs|last, []|first is defined, []|last is defined, s|first, s|last, d|first, d|last, ""|first is defined
xs|reverse|list, s|reverse, d|reverse|list, uni|reverse
xs|join, xs|join("-"), xs|join(1), users|join("+", attribute="name"), words|join(d=", "), "abc"|join("-")
xs|length, s|length, uni|length, uni|count, []|length
5|length
none|length
xs|list, "añb"|list, (1, 2)|list, range(3)|list
5|list
words|map("upper")|list, words|map("length")|list, users|map(attribute="name")|list, users|map(attribute="pos.x")|list
users|map(attribute="tags", default="none")|list, users|map(attribute="tags")|list
words|map("replace", "a", "A")|list, xs|map("string")|join, [" a "]|map("trim")|list
none|map("upper")|list, missing|map("upper")|list
xs|map("nosuch")|list
xs|map|list
xs|select("odd")|list, xs|reject("odd")|list, xs|select("gt", 1)|list, [0, 1, "", none, "a"]|select|list, [0, 1]|reject|list
users|selectattr("age", "equalto", 30)|map(attribute="name")|list, users|selectattr("tags")|list|length
users|rejectattr("tags")|map(attribute="name")|list, users|rejectattr("age", "eq", 30)|map(attribute="name")|join
users|selectattr("tags", "defined")|list|length, users|selectattr("pos.x", ">", 1)|list|length
users|selectattr("age", "in", [25])|map(attribute="name")|first
users|selectattr()|list
xs|select("nosuch")|list
users|groupby("age")|map(attribute="grouper")|list, users|groupby("age")|length
users|groupby("age")|map("first")|list
words|batch(2)|list, words|batch(3, "x")|list, words|slice(3)|list, words|slice(3, "x")|list, range(10)|slice(3)|map("list")|list
(words|select("string")) is iterable, (words|select("string")) is sequence, (words|map("upper"))|length
words|map("upper")|last
(words|reject("string")) and "truthy"
s|upper, s|lower, s|title, s|capitalize, "hELLO wORLD"|capitalize, "foo-bar (baz) it's"|title, n|upper
uni|upper, uni|lower, uni|title, uni|capitalize, uni.title(), uni.swapcase(), uni.casefold()
ws|trim, ws|trim == "padded", "xxaxx"|trim("x"), "abcba"|trim("ab"), n|trim, "\u3000x\u00a0"|trim
s|replace("l", "L"), s|replace("l", "L", 1), s|replace("", "-"), "aaa"|replace("aa", "b"), n|replace(7, 8), s|replace("x", "y")
"aaa"|replace("", "-", 2), ""|replace("", "x")
s|default("x"), empty|default("x"), empty|default("x", true), none|default("x"), none|d("x", boolean=true), missing|d, 0|d(1, true)
"3"|int, "3.9"|int, "x"|int, "x"|int(5), "0x1f"|int(base=16), "1f"|int(0, 16), " 42 "|int, 3.99|int, true|int, none|int, "1e3"|int, "-7"|int, "1_000"|int, "0b11"|int(base=0)
"3.5"|float, "x"|float, "x"|float(1.5), "1e3"|float, "inf"|float, "-Infinity"|float, "nan"|float|string, 3|float, " 2 "|float, none|float
42.55|round, 42.55|round(1), 42.55|round(1, "floor"), 42.51|round(1, "ceil"), 2.5|round, 3.5|round, 42|round, 1234|round(-2), 1250|round(-2), -2.5|round, 2.675|round(2)
5|round(1, "nope")
"x"|round
(-5)|abs, 5.5|abs, "x"|abs
xs|string, none|string, yes|string, f|string, n|string + "!"
s|safe, s|escape, html|e, html|escape|length, html|forceescape, n|e
"%s-%d-%5.2f-%x"|format("a", 42, 3.14159, 255), "%(a)s"|format(a=1), "%%"|format, "%5s|%-5s|%05d|%+d|% d"|format("a", "b", 42, 42, 42)
"%s" % "a", "%s %s" % ("a", 1), "%d%%" % 50, "%r" % "a'b", "%s" % [1], "%.2s" % "abc", "%c%c" % ("a", 98), "%e" % 12345.678, "%g" % 0.0001, "%g" % 1e20, "%i" % 3.9, "%o" % 8, "%#x" % 255
"%s %s" % "a"
"%s" % ("a", "b")
"%d" % "a"
"{} {}".format(1, "a"), "{1} {0}".format(1, "a"), "{a} {b}".format(a=1, b=2), "{0.name} {0[age]}".format(users[0]), "{{}}".format(), "{!r}".format("a")
"{:>5}|{:<5}|{:^5}|{:05d}|{:,}|{:.2f}|{:x}|{:+d}|{:*^7}|{:%}".format("a", "b", "c", 42, 1234567, 3.14159, 255, 5, "x", 0.25)
"{:d}".format("a")
"{} {}".format(1)
"{a}".format(b=1)
multi|indent, multi|indent(2, true), multi|indent(width=2, blank=true), multi|indent("> "), "a"|indent, "a\n"|indent, ""|indent(first=true)
s|truncate(5), s|truncate(8, true), s|truncate(5, true, "…", 0), "foo bar baz qux"|truncate(9), "foo bar baz qux"|truncate(11), "foo bar baz qux"|truncate(9, false, "", 0)
s|wordcount, "a b-c d_e"|wordcount, ""|wordcount
"x"|center(7), "ab"|center(7), "x"|center, "ab".center(5, "*"), "abc".center(6), "x".ljust(3) ~ "|", "x".rjust(3, "-")
nested|tojson
nested|tojson(indent=2)
nested|tojson(indent=2, ensure_ascii=true)
nested|tojson(separators=(",", ":"))
nested|tojson(sort_keys=true), d|tojson(sort_keys=true), d|tojson(indent=4, sort_keys=true)
d|tojson(indent="\t"), []|tojson(indent=2), {}|tojson(indent=2), [[]]|tojson(indent=1), [1]|tojson(indent=0)
"é\u2028\"\\\n\t\x01\x7f😀/<>&'"|tojson, "é😀"|tojson(ensure_ascii=true)
1|tojson, 1.0|tojson, 1e20|tojson, true|tojson, none|tojson, (1, 2)|tojson, 0.1|tojson, "inf"|float|tojson, "nan"|float|tojson
{1: 2, true: 3, none: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
range(3)|tojson
namespace(a=1)|tojson
s|tojson|length, xs|tojson|safe
s.upper(), s.lower(), s.title(), s.capitalize(), s.swapcase(), s.strip("Hd"), s.lstrip("He"), s.rstrip("d"), ws.strip() ~ "|"
"a b  c".split(), "a b  c".split(" "), "a b c d".split(" ", 2), "a b c d".rsplit(" ", 1), "  a  b  ".split(none, 1), "  a  b  ".rsplit(none, 1), "a,b".split(sep=","), "abc".split("x"), "".split(), "".split(",")
"a</think>b</think>c".split("</think>")[-1], "a</think>b".split("</think>")[0].split("<think>")[-1]
"x".split("")
"a\nb\r\nc\rd\n".splitlines(), "a\nb".splitlines(true), "".splitlines(), "\n".splitlines()
s.startswith("He"), s.endswith("ld"), s.startswith(("a", "H")), s.endswith(("x", "y")), s.startswith("l", 2), s.startswith("He", 0, 1), s.startswith(""), s.endswith("")
s.startswith(1)
s.find("l"), s.rfind("l"), s.find("zz"), s.index("o"), s.count("l"), s.find("l", 4), s.find("r"), uni.find("語"), s.find("l", 0, 2), s.count(""), s.rfind("")
s.index("zz")
s.replace("l", "L"), s.replace("l", "L", 1), s.replace("l", "")
s.replace("l")
"-".join(["a", "b"]), "-".join("abc"), "".join([])
"-".join([1])
s.partition(","), s.rpartition("l"), s.partition("zz"), s.rpartition("zz")
s.removeprefix("He"), s.removesuffix("ld"), s.removeprefix("x"), "aaa".removeprefix("a")
"5".isdigit(), "²".isdigit(), "²".isdecimal(), "½".isnumeric(), "a1".isalnum(), "a".isalpha(), "".isalpha(), " ".isspace(), "Ab".istitle(), "AB".isupper(), "ab1".islower(), "1".islower(), "é".isascii(), "a_1".isidentifier(), "1a".isidentifier(), "\n".isprintable(), "".isprintable()
"42".zfill(5), "-42".zfill(5), "a\tb".expandtabs(4), "01\t012\t0123".expandtabs()
s.nosuch is defined
s.nosuch()
n is integer, f is float, yes is integer, yes is number, yes is boolean, n is number, s is number, nothing is none, s is string, xs is string
d is mapping, xs is mapping, xs is sequence, s is sequence, d is sequence, n is sequence, xs is iterable, n is iterable, s is iterable, missing is iterable, missing is sequence
yes is true, no is false, 1 is true, "a" is sameas "a", none is sameas none, 1 is sameas 1, 1 is sameas true, [] is sameas []
3 is odd, 4 is even, 9 is divisibleby 3, 9 is divisibleby(4), n is odd and n is not even
"abc" is lower, "ABC" is upper, "aB" is lower, "1" is lower, n is lower
n is eq 7, n is equalto(7), n is ne 7, n is gt 3, n is lt 3, n is ge 7, n is le 7, n is greaterthan 3, n is lessthan 3, n is == 7
n is in [7], "a" is in("abc"), n is not in [7]
range is callable, s is callable, missing is callable, s.upper is callable
"upper" is filter, "nosuch" is filter, "odd" is test, "nosuch" is test
s is escaped, s|safe is escaped, s|e is escaped
(html|safe) + html, html + (html|safe), (html|e) + "<", (html|safe) * 2 + "<", (html|safe) ~ html
(html|safe)[1:] + "<", (html|safe)[0] + "<", (html|safe)|upper + "<", (html|safe)|trim + "<", (html|safe)|replace("a", "<") + "<", (html|safe)|title + "<"
(html|safe).replace("a", "<"), (html|safe).join(["<", "a"]), (html|safe).split("a")[0] + "<", (html|safe).strip() + "<", "<".join([html|safe])
("<%s>"|safe) % "<", ("<%s %d>"|safe) % ("<", 3), ("<{}>"|safe).format("<"), "<%s>" % ("<"|safe), ("%s"|safe)|format("<"), ("a b"|safe)|list
("<a b>"|safe)|first + "<", ("<a b>"|safe)|last + "<", ("<a>"|safe)|string + "<", ("a\nb"|safe)|indent + "<", ("<abcdef ghijkl>"|safe)|truncate(8, true) + "<", [html|safe]|join + "<"
(html|safe) == html, (html|safe) in [html], {html|safe: 1}[html], (html|safe)|tojson, (html|safe)|forceescape, (html|e)|e, (html|safe)|length
(html|safe) + 1
n is nosuch
n|nosuch
n is defined is none
not missing is defined, not n is none
n is not none and s is not mapping
range(5)|list, range(2, 5)|list, range(5, 0, -2)|list, range(0)|list, range(3)|length, range(5)[1], range(5)[-1], range(5)[1:3]|list, 3 in range(5), range(3)
range(0, 10, 0)
range(100001)
range(100000)|length
range(1.5)
range("a")
dict(a=1, b=2), dict({"x": 1}, y=2), dict([["a", 1], ["b", 2]]), dict()
dict([1])
namespace(a=1).a, namespace({"b": 2}).b, namespace().x is defined, namespace(a=1)["a"]
cycler("a", "b").next(), joiner(",")() ~ "x"
raise_exception("boom " ~ n)
raise_exception()
strftime_now("%Y-%m-%d %H:%M:%S %d %b %Y %B %A %a %j %y %p %I %% %e %-d %-m %U %W %w %u %V %G %D %F %T %R %h")
strftime_now("%d %b %Y")
nothing()
n()
"a"()
xs()
xs|length()
(1, 2, 3)[1], (1,)[0], ()|length, (1)|string
[1, 2, ]|length, {"a": 1, }|length
d|dictsort(by="value"), d|dictsort(reverse=true), {"B": 1, "a": 2}|dictsort, {"B": 1, "a": 2}|dictsort(true)
xs|dictsort
none|items|list
missing|items|list
d|attr("a") is defined, s|attr("upper") is defined, d|attr("get") is defined
xs|first|string + "x", xs|sort|first
true and false, True, False, None, true|string, none|string
loop is defined, self is defined or true
"a" ~ "b"|upper, "a" + "b"|upper, ("a" + "b")|upper
1 + 1|string
1 ~ 2 + 3, 1 + 2 ~ 3, 2 * 3 ~ 4
3 * 2 ** 2, -2 ** 2, (-2) ** 2
"abc"[1]|upper, "a.b".split(".")[1][0]
users[0]["name"][0], users|map(attribute="tags")|first|first
users[0].tags|join(",") if users[0].tags else "none"
(users|selectattr("name", "equalto", "Bob")|first).age
{"a": [1, 2]}["a"][1], {"a": 1}.a, [1, 2][0], "abc"["upper"]()
xs|map("float")|sum, xs|map("int")|max
"a" if n is defined and n > 3 and (s or d) else "b"
s in [s], s in (s,), [s] == [s ~ ""], "Hello, Wörld" == s
""|string is string, ""|length == 0
"\\n", '\n'|length, "\\"|length
"a\
b"
""".strip("\n").split("\n")

# The last expression above spans two lines.
EXPRESSIONS = EXPRESSIONS[:-2] + ["\n".join(EXPRESSIONS[-2:])]

STATEMENTS = [
    # White space control.
    "a\n{% if yes %}\nb\n{% endif %}\nc\n",
    "  {% if yes %}  \n  b\n  {% endif %}  \nc",
    "a {%- if yes -%} b {%- endif -%} c",
    "a {%+ if yes +%}\n b {%+ endif +%}\n c",
    "\n  {%+ if yes %}x{% endif %}",
    "x  {% set a = 1 %}\n  y",
    "  {{ 1 }}  \n  {{- 2 -}}  \n  3",
    "a\n\n{{- n -}}\n\nb",
    "{{ n }}\n",
    "{{ n }}\n\n",
    "\n{{ n }}",
    "a{# comment #}b",
    "a\n  {# comment #}\nb",
    "a {#- comment -#} b",
    "a {#+ comment +#}\n b",
    "{# multi\nline {{ n }} {% if %} #}x",
    "a\r\nb\rc{% if yes %}\r\nd{% endif %}",
    "{% raw %}{{ n }} {% if %}{% endraw %}",
    "a\n  {% raw %}\n x {{ y }}\n  {% endraw %}\nb",
    "a {%- raw -%} {{ x }} {%- endraw -%} b",
    "{% raw -%}  x  {%- endraw %}",
    "{%- raw %} {% endraw -%}  z",
    "  {% for i in xs %}\n    {{ i }}\n  {% endfor %}\n",
    "{% for i in xs -%}\n    {{ i }}\n{%- endfor %}",
    "{% for i in xs %} {{- i }} {% endfor %}",
    "\u00a0{%- if yes %}x{% endif %}",
    "a\u00a0 {%- if yes %}x{% endif %}",
    "{{\nn\n}}",
    "{%\nif yes\n%}x{%\nendif\n%}",
    "{{'}}'}}{{ '%}' }}{{ \"{{\" }}",
    "{{ {'a': {'b': 1}}.a.b }}{{ {'a': {}}}}",
    "{{-1}} {{- -1 }} {{+1}}",
    "{ { % } } #}",
    "{% if yes %}a{% endif %}\n\n{% if yes %}b{% endif %}\n",
    "{% set x %}\n  a\n{% endset %}[{{ x }}]",
    # Syntax errors.
    "{{ n",
    "{% if yes %}",
    "{% endif %}",
    "{% if yes %}{% endfor %}",
    "{{ }}",
    "{% %}",
    "{{ n | }}",
    "{{ n. }}",
    "{{ (n }}",
    "{{ n) }}",
    "{{ [1 }}",
    "{{ [1) }}",
    "{{ 'abc }}",
    "{# never closed",
    "{% raw %} never closed",
    "{% nosuch %}",
    "{{ 1 2 }}",
    "{{ a b }}",
    "{{ a = 1 }}",
    "{{ f(a=1, 2) }}",
    "{{ f(**d, 2) }}",
    "{{ n ! }}",
    "{{ n @ 2 }}",
    "{{ 012 }}",
    "{{ 1a }}",
    "{{ not }}",
    "{{ in }}",
    "{% set 1 = 2 %}",
    "{% set true = 2 %}",
    "{% set a.b.c = 2 %}",
    "{% for %}{% endfor %}",
    "{% for x xs %}{% endfor %}",
    "{% for 1 in xs %}{% endfor %}",
    "{% macro %}{% endmacro %}",
    "{% macro f(a=1, b) %}{% endmacro %}",
    "{% call n %}{% endcall %}",
    "{% break %}",
    "{% continue %}",
    "{% for i in xs %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{% elif yes %}",
    "{% if yes %}{% else %}{% elif yes %}{% endif %}",
    "{{ '\\x4' }}",
    # if
    "{% if no %}a{% elif nothing %}b{% elif n %}c{% else %}d{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if no %}a{% endif %}",
    "{% if yes %}{% set x = 5 %}{% endif %}{{ x }}",
    "{% if no %}{% set x = 5 %}{% endif %}{{ x is defined }}",
    "{% if xs and d and s and not empty %}all{% endif %}",
    "{% if 0.0 or [] or {} or '' or () or none %}x{% else %}y{% endif %}",
    "{% if 1, 2 %}tuple{% endif %}",
    # for
    "{% for i in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}|{% endfor %}",
    "{% for i in xs %}{{ loop.previtem }}-{{ loop.nextitem }}|{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for i in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in [1, 1, 2, 2, 1] %}{{ loop.changed(i) }}{% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in xs %}x{% else %}none{% endfor %}",
    "{% for i in missing %}x{% else %}none{% endfor %}",
    "{% for i in nothing %}x{% endfor %}",
    "{% for i in n %}x{% endfor %}",
    "{% for c in s %}{{ c }}.{% endfor %}",
    "{% for c in uni %}{{ c }}.{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for (a, b) in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for a, b in [(1,)] %}{% endfor %}",
    "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}",
    "{% for i in xs if i > 1 %}{{ i }}{{ loop.index }}{{ loop.length }}{% else %}none{% endfor %}",
    "{% for i in xs if i > 9 %}{{ i }}{% else %}none{% endfor %}",
    "{% for i in xs %}{% for j in xs if j != i %}{{ i }}{{ j }}{{ loop.index }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for i in xs %}{% set x = i %}{% endfor %}{{ x is defined }}",
    "{% set x = 0 %}{% for i in xs %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in xs %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% for i in xs %}{{ i }}{% if i == 1 %}{% break %}{% endif %}{% endfor %}",
    "{% for i in xs %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in xs %}{% for j in xs %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% for i in xs %}{% set y %}{{ i }}{% break %}{% endset %}{% endfor %}x",
    "{% for i in xs %}{% break %}{% else %}never{% endfor %}",
    "{% for i in range(3) %}{{ i }}{% endfor %}",
    "{% for i in 1, 2, 3 %}{{ i }}{% endfor %}",
    "{% for i in (1, 2) %}{{ i }}{% endfor %}",
    "{% for i in xs|sort|reverse %}{{ i }}{% endfor %}",
    "{% for i in (xs if yes else []) %}{{ i }}{% endfor %}",
    "{% for x in [{'c': [{'c': []}]}, {'c': []}] recursive %}[{{ loop.depth }}{{ loop.depth0 }}{{ loop(x.c) }}]{% endfor %}",
    "{% for x in [{'v': 1, 'c': [{'v': 2}]}, {'v': 3}] recursive %}{{ x.v }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}",
    "{% for x in xs %}{{ loop(xs) }}{% endfor %}",
    "{% for i in xs %}{{ loop }}{% endfor %}",
    "{% for i in xs %}{{ loop.nosuch is defined }}{% endfor %}",
    "{% for m in users[::-1] %}{{ m.name }}{% endfor %}",
    "{% for m in users[1:] %}{{ loop.first }}{{ m.name }}{% endfor %}",
    "{% for g in users|groupby('age') %}{{ g.grouper }}:{% for u in g.list %}{{ u.name }}{% endfor %};{% endfor %}",
    "{% for age, us in users|groupby('age') %}{{ age }}{{ us|length }}{% endfor %}",
    "{% for a in users|map(attribute='name') %}{{ loop.index }}{{ loop.length }}{{ loop.last }}{{ a }}{% endfor %}",
    "{% for loop in xs %}{% endfor %}",
    # set
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1, 2] %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set a, b = 1 %}",
    "{% set (a, b) = (1, 2) %}{{ b }}{{ a }}",
    "{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x|length }}",
    "{% set x | upper %}abc{% endset %}{{ x }}",
    "{% set x | replace('a', 'b') | upper %}abc{% endset %}{{ x }}",
    "{% set x %}{% set y = 1 %}{% endset %}{{ y is defined }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b = ns.a + 1 %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, b = 5, 6 %}{{ ns.a }}{{ b }}",
    "{% set ns = namespace() %}{% set ns.x %}abc{% endset %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{% set d.x = 1 %}",
    "{% set nosuch.x = 1 %}",
    "{% set s = s ~ '!' %}{{ s }}",
    "{% set n = n + 1 %}{% set n = n + 1 %}{{ n }}",
    "{% set f = s.upper %}{{ f() }}",
    # macros
    "{% macro f(a, b=2) %}[{{ a }}{{ b }}]{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(b=5, a=4) }}{{ f() }}",
    "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}",
    "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }}",
    "{% macro f(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ f(1, 2, 3) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}",
    "{% macro f(a) %}{{ a.x }}{% endmacro %}{{ f() }}",
    "{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% macro f(x) %}\n  {{ x }}\n{% endmacro %}\n{{ f(1) }}|{{ f(2)|trim }}",
    "{% set x = 1 %}{% macro f() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ f() }}",
    "{% macro f() %}{{ y }}{% endmacro %}{% for y in xs %}{{ f() }}{% endfor %}|",
    "{% macro f() %}{% set z = 1 %}{{ z }}{% endmacro %}{{ f() }}{{ z is defined }}",
    "{% macro f() %}{{ n }}{% endmacro %}{{ f }}",
    "{% macro f(a, b) %}{% endmacro %}{{ f.name }}{{ f.arguments }}{{ f.catch_kwargs }}{{ f.catch_varargs }}{{ f.caller }}",
    "{% macro f() %}{{ caller() }}{{ caller() }}{% endmacro %}{% call f() %}x{{ n }}{% endcall %}",
    "{% macro f(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(x) f(xs) %}<{{ x }}>{% endcall %}",
    "{% macro f(l) %}{{ caller() }}{% endmacro %}{{ f(1) }}",
    "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(*[1]) }}{{ f(**{'a': 2}) }}",
    "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ xs|map('string')|map('upper')|join }}{{ f(f(1)) }}",
    "{% macro f() %}a{% endmacro %}{{ f() + 'b' }}{{ f()|upper }}{{ f() is string }}",
    "{% macro f(depth) %}{{ f(depth + 1) }}{% endmacro %}{{ f(0) }}",
    "{{ f() }}{% macro f() %}x{% endmacro %}",
    # blocks of other kinds
    "{% filter upper %}abc{{ s }}{% endfilter %}",
    "{% filter replace('a', 'b')|upper %}abc{% endfilter %}",
    "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% with a=1, b=2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}",
    "{% with a = n, b = n + 1 %}{{ a + b }}{% endwith %}",
    "{% print n, s %}",
    "{% block title %}t{{ n }}{% endblock %}",
    "{% block title %}t{% endblock title %}",
    "{% generation %}a{{ n }}{% endgeneration %}b",
    "x\n{% generation %}\n a\n{% endgeneration %}\nb",
    "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q is defined }}",
    "{{ 1, 2 }}{{ (1,) }}{{ 1, }}",
    "{{ n }}{{ n }}{{ nothing }}{{ missing }}{{ yes }}{{ f }}{{ xs }}{{ d }}",
    "{% if n is defined and missing is not defined %}ok{% endif %}",
    "{%- for u in users -%}{{ u.name }}{% if not loop.last %}, {% endif %}{%- endfor -%}",
    "{% set j = joiner(', ') %}{% for i in xs %}{{ j() }}{{ i }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set _ = c.reset() %}{{ c.next() }}",
    "{% set t = 'x' %}{% set u = t if t is defined else 'y' %}{{ u }}",
    "{{ 'a' if no }}|{{ ('a' if no) ~ 'b' }}",
    "{% if raise_exception is defined %}{{ 'def' }}{% endif %}",
    "{% if no %}{{ raise_exception('no') }}{% endif %}fine",
    "{% if no %}{{ n|nosuchfilter }}{% endif %}fine",
    "line1\nline2 {{ raise_exception('here') }}",
    "{{ {'a': n}['a'] }}{{ {'k' ~ n: 1} }}",
    "{{ users|tojson }}",
    "{{ users|map(attribute='pos')|list|tojson(indent=2) }}",
    "{%- set tools = [{'name': 'f', 'parameters': {'type': 'object'}}] -%}{{ tools | tojson(indent=4) }}",
    "{{ dict(a=1)|tojson }}{{ {'x': (1, none)}|tojson }}",
    "{% for i in range(3) %}{% for j in range(2) %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.depth }}{% endfor %}",
    "{%- macro render(p, lvl) -%}{%- for k, v in p.items() -%}{{ '  ' * lvl }}{{ k }}{% if v is mapping %}:\n{{ render(v, lvl + 1) }}{% else %}={{ v }}\n{% endif %}{%- endfor -%}{%- endmacro -%}{{ render({'a': {'b': 1, 'c': {'d': 2}}, 'e': 3}, 0) }}",
    "{{ messages is defined }}{{ messages|length }}{{ tools is none }}{{ documents }}{{ add_generation_prompt }}{{ bos_token is defined }}",
    "{% autoescape false %}x{% endautoescape %}",
    "",
    "plain text, no tags\n",
    "日本語 {{ uni }} ✓",
]

# Beyond the limits of this project, or of the Python process: both sides refuse, or the difference is stated in the guide.
VARIABLE_CASES = [
    ("{{ x }}", {"x": 1e300}),
    ("{{ x|tojson }}{{ x }}", {"x": [1.0, 1e-7, 123456.789, 5e-324]}),
    ("{{ a.b['c'][0].d }}", {"a": {"b": {"c": [{"d": "deep"}]}}}),
    ("{{ x.get }}", {"x": 1}),
    ("{{ items['items'] }}", {"items": {"items": 1}}),
    ("{{ content | trim }}|{{ content.strip('\n') }}", {"content": "\n\n  x \n"}),
    ("{{ content.split('\n')|length }}", {"content": "a\nb\n"}),
    ("{% if content is string %}s{% elif content is iterable %}i{% endif %}", {"content": [{"type": "text"}]}),
    ("{{ content['text'] }}{{ content.text is string }}", {"content": {"text": "t"}}),
    ("{{ x == none }}{{ x is none }}{{ x is not none }}{{ x == '' }}", {"x": None}),
    ("{{ x|default('a') }}|{{ x|default('a', true) }}", {"x": None}),
    ("{{ x + 1 }}{{ x // 2 }}{{ x % 2 == 0 }}", {"x": 10}),
    ("{{ (x | string) + 'px' }}", {"x": 10}),
    ("{{ date_string[:4] ~ date_string[5:7] }}", {"date_string": "2024-07-26"}),
]
