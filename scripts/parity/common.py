"""What the parity scripts share: where things are, calls of the binary, one JSON line a figure.

Every script takes `--atelier PATH` (default build/release/atelier) and prints JSON Lines: first one with date, machine and commit, then
one a figure; a figure with a bound carries "kept". Exit status 1 when a bound is not kept.

Public texts and the peers' own scripts are in $ATELIER_SHARED (default ../shared beside the repository), the models in the store
($ATELIER_HOME/models, default ~/.local/share/atelier/models; scripts/fetch_models.sh brings them).
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ATELIER_SHARED", ROOT.parent / "shared"))
STORE = Path(os.environ.get("ATELIER_HOME", Path.home() / ".local/share/atelier")) / "models"
WIKITEXT = SHARED / "data/lm/wikitext-2/test.txt"


def parser(doc: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--atelier", default=str(ROOT / "build/release/atelier"), help="the binary (%(default)s)")
    made.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of both engines (%(default)s)")
    return made


TRAIN_TEXT = "she sells sea shells by the sea shore and he does not\n" * 40


def train_ten_steps(atelier: str, folder: Path, model: Path, name: str, settings: list[str]) -> Path:
    """The run folder `folder`/`name` of ten steps on characters of TRAIN_TEXT, from a tiny model."""
    text, recipe = folder / "text.txt", folder / "ten_steps.yaml"
    text.write_text(TRAIN_TEXT)
    recipe.write_text(f"data: {{train: {text}, context: 16}}\ntraining: {{steps: 10, batch: 4}}\nruns: {folder}\n"
                      f"model: {{from: {model}, tokenizer: character, precision: f32}}\noptimizer: {{learning_rate: 0.02}}\n")
    words = [word for one in (f"name={name}", *settings) for word in ("--set", one)]
    output_of([atelier, "train", str(recipe), *words])
    return folder / name


class Report:
    """Prints figures and remembers whether every bound was kept."""

    def __init__(self) -> None:
        self.exit_status = 0

    def say(self, **figure) -> None:
        if figure.get("kept") is False:
            self.exit_status = 1
        print(json.dumps(figure, ensure_ascii=False), flush=True)

    def head(self) -> None:
        """The line that says when, where and of what the figures are."""
        cpu = Path("/proc/cpuinfo").read_text()
        flags = next(line.split(":")[1].split() for line in cpu.splitlines() if line.startswith("flags"))
        name = next(line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name"))
        commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
        self.say(date=datetime.date.today().isoformat(), cpu=name, avx2="avx2" in flags, avx512="avx512f" in flags,
                 cores=len(os.sched_getaffinity(0)), commit=commit, load=round(os.getloadavg()[0], 2))


def stored(name: str) -> str:
    """The GGUF file of a model in the store."""
    path = STORE / name / "model.gguf"
    if not path.is_file():
        sys.exit(f"parity: error: {path} is missing; run scripts/fetch_models.sh {name}")
    return str(path)


def shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        sys.exit(f"parity: error: {path} is missing; set ATELIER_SHARED to the folder that holds data and peers")
    return path


class Failed(Exception):
    """A program said no; the text is its last line on stderr."""


def output_of(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        raise Failed((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return done.stdout


def json_of(command: list[str], **environment: str) -> dict:
    return json.loads(output_of(command, **environment))


def yaml_of(path: Path) -> dict:
    import yaml  # where PyTorch's environment has it; not every script needs it

    def numbers(value):
        """1e-08 is a number in YAML 1.2 and a word in PyYAML's 1.1."""
        if isinstance(value, dict):
            return {key: numbers(member) for key, member in value.items()}
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    return numbers(yaml.safe_load(path.read_text()))


def peer_tool(*arguments: str) -> list[str]:
    """The command line of peers/llama_tools.py."""
    return [sys.executable, str(shared("peers", "llama_tools.py")), *arguments]
