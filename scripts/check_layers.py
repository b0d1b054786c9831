#!/usr/bin/env python3
"""Checks that the folders are the layers: a room of atelier/ includes only rooms with a lower number, and its own files.

The table is docs/develop/layers.toml (docs/adr/0001-layers.md). Every include that leaves the file's folder is spelled
"atelier/<room>/<file>.h" and names a file that exists; tests may also include tests/support/. Prints one line per fault and exits 1 when there is any.
"""
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def faults_of(path: Path, layers: dict[str, int]) -> list[str]:
    """The faults of one source file, each `path:line: what is wrong`."""
    room = path.relative_to(ROOT / "atelier").parts[0]
    faults = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        where = f"{path.relative_to(ROOT)}:{number}"
        parts = target.split("/")
        if path.name.endswith("_test.cc") and target.startswith("tests/support/") and (ROOT / target).is_file():
            continue
        if parts[0] != "atelier" or len(parts) < 3:
            faults.append(f'{where}: "{target}" must be spelled "atelier/<room>/<file>.h"')
        elif parts[1] not in layers:
            faults.append(f'{where}: "{target}": room {parts[1]}/ is not in docs/develop/layers.toml')
        elif not (ROOT / target).is_file():
            faults.append(f'{where}: "{target}" does not exist')
        elif parts[1] != room and layers[parts[1]] >= layers[room]:
            faults.append(f"{where}: {room}/ is layer {layers[room]} and may not include {parts[1]}/, layer {layers[parts[1]]}")
    return faults


def main() -> int:
    layers = tomllib.loads((ROOT / "docs/develop/layers.toml").read_text())["layers"]
    rooms = sorted({p.relative_to(ROOT / "atelier").parts[0] for p in (ROOT / "atelier").rglob("*.h")}
                   | {p.relative_to(ROOT / "atelier").parts[0] for p in (ROOT / "atelier").rglob("*.cc")})
    faults = [f"atelier/{room}/: not in docs/develop/layers.toml" for room in rooms if room not in layers]
    faults += [f"docs/develop/layers.toml: {room} has no folder with sources" for room in layers if room not in rooms]
    sources = [p for ext in ("*.h", "*.cc") for p in sorted((ROOT / "atelier").rglob(ext))]
    for path in sources:
        if path.relative_to(ROOT / "atelier").parts[0] in layers:
            faults += faults_of(path, layers)
    for fault in faults:
        print(fault)
    print(f"layers: {len(sources)} files in {len(rooms)} rooms, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
