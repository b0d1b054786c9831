#!/usr/bin/env python3
"""Writes what transformers renders for the chat templates in templates/ and for the snippets in template_snippets.py.

Made with transformers 5.23.0 and jinja2 3.1.6 (CPython 3.11); the date that strftime_now() sees is fixed.

    python3 tests/golden/make_template_goldens.py

templates/conversations.json  inputs: {name: {"messages", "tools", ...}}
templates/goldens.jsonl       {"template", "conversation", "output" or "error"} for every template and conversation
templates/snippets.jsonl      {"template", "variables" unless the common ones, "output" or "error"}; first line: the common variables
"""

import datetime
import json
import pathlib

import transformers.utils.chat_template_utils as chat_template_utils

from template_conversations import CONVERSATIONS
from template_snippets import EXPRESSIONS, STATEMENTS, VARIABLE_CASES, VARIABLES

HERE = pathlib.Path(__file__).parent / "templates"
NOW_S = 1721997296  # 2024-07-26 12:34:56 UTC


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW_S, datetime.timezone.utc).replace(tzinfo=None)


chat_template_utils.datetime = FixedClock


def render(template, conversation):
    arguments = dict(conversation)
    messages = arguments.pop("messages", [])
    try:
        rendered, _ = chat_template_utils.render_jinja_template([messages], chat_template=template, **arguments)
        return {"output": rendered[0]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def main():
    (HERE / "conversations.json").write_text(json.dumps(CONVERSATIONS, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    goldens = []
    for path in sorted(HERE.glob("*.jinja")):
        template = path.read_bytes().decode("utf-8")
        for name, conversation in CONVERSATIONS.items():
            goldens.append({"template": path.stem, "conversation": name, **render(template, conversation)})
    write_lines(HERE / "goldens.jsonl", goldens)

    cases = [("{{ " + expression + " }}", None) for expression in EXPRESSIONS]
    cases += [(statement, None) for statement in STATEMENTS] + VARIABLE_CASES
    snippets = [{"variables": VARIABLES}]
    for template, variables in cases:
        line = {"template": template} if variables is None else {"template": template, "variables": variables}
        snippets.append({**line, **render(template, VARIABLES if variables is None else variables)})
    write_lines(HERE / "snippets.jsonl", snippets)
    print(f"{len(goldens)} goldens, {len(snippets) - 1} snippets")


if __name__ == "__main__":
    main()
