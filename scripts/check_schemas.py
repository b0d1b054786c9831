#!/usr/bin/env python3
"""Whether answers that were held to random JSON schemas keep to them, by another program than the one that wrote them.

    pip install jsonschema==4.26.0 rfc3339-validator==0.1.4
    build/release/constraint_bench MODEL 500 | python3 scripts/check_schemas.py        # ninja -C build/release constraint_bench

Reads lines {"schema", "text", "finish_reason"}. Every answer that ended by itself has to be valid JSON that the schema accepts, formats
included; those cut by length are counted. Exits with 1 for the first invalid answer or when more than 2 % were cut.
"""
import json
import sys

from jsonschema import Draft202012Validator, FormatChecker


def main() -> int:
    valid = cut = 0
    for line in sys.stdin:
        record = json.loads(line)
        if record.get("finish_reason") == "length":
            cut += 1
            continue
        if record.get("finish_reason") != "stop":
            print(f"not an answer: {line[:500]}")
            return 1
        try:
            Draft202012Validator(record["schema"], format_checker=FormatChecker()).validate(json.loads(record["text"]))
        except Exception as error:  # whatever the validator says, it is shown with the answer
            print(f"{error}\n{line}")
            return 1
        valid += 1
    share = cut / max(1, valid + cut)
    print(f"{valid} valid answers, {cut} cut by length ({100 * share:.1f} %)")
    return 0 if share <= 0.02 and valid else 1


if __name__ == "__main__":
    sys.exit(main())
