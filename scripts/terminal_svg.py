#!/usr/bin/env python3
"""A picture of a terminal from a real run: runs COMMAND and draws what was typed and what it printed as an SVG.

usage: terminal_svg.py OUT.svg COMMAND [ARGUMENT...]
docs/images/chat.svg: terminal_svg.py docs/images/chat.svg atelier chat smollm2-135m-instruct --temperature 0 --top 5 --max-tokens 5 \
                      --message "What is the capital of France, and what is it known for?"      (with build/release in PATH)
"""
import html
import shlex
import subprocess
import sys
import textwrap

WIDTH, LINE_PX, CHAR_PX, MARGIN_PX = 122, 19, 8.43, 18


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, command = sys.argv[1], sys.argv[2:]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = textwrap.wrap("$ " + shlex.join(command), WIDTH, subsequent_indent="    ")
    num_typed = len(rows)
    for line in printed.rstrip("\n").split("\n"):
        rows += textwrap.wrap(line, WIDTH, drop_whitespace=False, replace_whitespace=False) or [""]
    width, height = int(WIDTH * CHAR_PX + 2 * MARGIN_PX), len(rows) * LINE_PX + 2 * MARGIN_PX
    text = "\n".join(
        f'<text x="{MARGIN_PX}" y="{MARGIN_PX + LINE_PX * (i + 1) - 5}" fill="{"#8ec07c" if i < num_typed else "#ebdbb2"}" xml:space="preserve">{html.escape(row)}</text>'
        for i, row in enumerate(rows))
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="DejaVu Sans Mono, monospace" font-size="14">\n'
                   f'<rect width="100%" height="100%" rx="8" fill="#282828"/>\n{text}\n</svg>\n')


if __name__ == "__main__":
    main()
