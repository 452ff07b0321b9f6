"""Time everything and write benchmarks/results.md: ``make bench``.

    python benchmarks/bench.py [--rounds 5] [--pytorch PYTHON]

The contestants of a race are processes that wait for each other and run in turn, A B
C A B C …, so that all see the same machine; the table gives medians and the range.
PyTorch takes part where PYTHON (default: this one) can import it. Run it on a quiet
machine.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

from dcgan_utils.pictures.get import get_faces
from dcgan_utils.settings import PROFILES

HERE = Path(__file__).parent
SLOW = 20  # seconds: of who takes longer to its first loss, one more step is timed
RACES = {  # name: image size, feature maps of G and D, batch, steps a turn
    "reference networks, batch 64": (64, 64, 64, 64, 2),
    "reference networks, batch 128": (64, 64, 64, 128, 1),
    "`class` profile": (
        64,
        PROFILES["class"].generator_maps,
        PROFILES["class"].discriminator_maps,
        PROFILES["class"].batch_size,
        10,
    ),
    "ModelZoo, 32×32, 128 maps, batch 128": (32, 128, 128, 128, 1),
}
AS_IT_IS = {"reference networks, batch 64", "`class` profile"}  # it can take minutes


class Contestant:
    """A process that trains when it is told; seconds of its steps are in times."""

    def __init__(self, name, kind, race, python=sys.executable, **environment):
        *sizes, self.steps = race
        self.name, self.times = name, []
        command = [python, HERE / "contestant.py", kind, *sizes]
        self.process = subprocess.Popen(
            list(map(str, command)),
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.first = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        while line and not re.fullmatch(r"[\d.e-]+\n", line):  # what a library printed
            line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped")
        return float(line)

    def turn(self):
        """Train some steps and note the seconds of one."""
        slow = self.first > SLOW  # it compiles, too: never counted as a step
        if slow and self.times:
            return
        self.process.stdin.write(f"{1 if slow else self.steps}\n")
        self.process.stdin.flush()
        self.times.append(self._answer())


def race_steps(rounds, pytorch):
    """Lines of the table of steps."""
    lines = ["| step | who | seconds, median (range) | against the published |"]
    lines.append("| --- | --- | --- | --- |")
    for title, race in RACES.items():
        runners = [
            Contestant(
                "published, held to AVX2",
                "published",
                race,
                ONEDNN_MAX_CPU_ISA="AVX2",
            ),
            Contestant("ours", "ours", race),
        ]
        if title in AS_IT_IS:
            runners.append(Contestant("published, as it is", "published", race))
        if pytorch:
            runners += [
                Contestant("PyTorch, eager", "pytorch", race, pytorch),
                Contestant("PyTorch, channels_last", "channels_last", race, pytorch),
            ]
        for _ in range(rounds):
            for runner in runners:
                runner.turn()
        base = statistics.median(runners[0].times)
        for runner in runners:
            middle = statistics.median(runner.times)
            spread = f"({min(runner.times):.3f} to {max(runner.times):.3f})"
            spread = spread if len(runner.times) > 1 else "(timed once)"
            lines.append(
                f"| {title} | {runner.name} | {middle:.3f} {spread} "
                f"| {middle / base:.2f} × |"
            )
            print(lines[-1], flush=True)
            runner.process.kill()
    return lines


def ask(script, *arguments):
    """Run a script of this folder; returns the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def race_pipelines(root, rounds):
    """Lines of the table of pipelines."""
    rates = ask("pipelines.py", root, rounds)
    base = statistics.median(rates["published"])
    names = {
        "published": "published: from files, with a Python lambda",
        "files": "the same operations in C++, from files",
        "cached": "ours, from the array of decoded pictures",
    }
    lines = ["| pipeline | pictures a second, median (range) | against the published |"]
    lines.append("| --- | --- | --- |")
    for key, name in names.items():
        middle = statistics.median(rates[key])
        spread = f"({min(rates[key]):,.0f} to {max(rates[key]):,.0f})"
        lines.append(f"| {name} | {middle:,.0f} {spread} | {middle / base:.1f} × |")
    return lines


def time_startup(root, rounds):
    """Lines of the table of start-up."""
    runs = [ask("startup.py", root) for _ in range(rounds)]
    lines = ["| from `import dcgan_utils` to the first loss | seconds, median |"]
    lines.append("| --- | --- |")
    for what in runs[0]:
        lines.append(f"| {what} | {statistics.median(r[what] for r in runs):.2f} |")
    total = statistics.median(sum(list(r.values())[:-1]) for r in runs)
    return [*lines, f"| **all but the second step** | **{total:.2f}** |"]


def processor():
    """The processor's name, as far as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        name = re.search(r"model name\s*: (.*)", text).group(1)
        wide = " with AVX-512" if "avx512f" in text else ""
    except (OSError, AttributeError):
        name, wide = platform.processor(), ""
    return name + wide


def main():
    """Run all and write results.md; text between its marks is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pytorch", default=sys.executable, metavar="PYTHON")
    given = parser.parse_args()
    probe = [given.pytorch, "-c", "import torch; print(torch.__version__)"]
    found = subprocess.run(probe, capture_output=True, text=True)
    torch = found.stdout.strip() if found.returncode == 0 else None
    faces = get_faces(PROFILES["class"])
    root = faces.root
    share = ask("training_run.py", root, "wait")["share"]
    memory = ask("training_run.py", root, "memory")["megabytes"]
    parts = [
        f"Measured on {date.today()} by `make bench`: {processor()}, "
        f"{psutil.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, MindSpore {version('mindspore')}, "
        f"PyTorch {torch or 'not installed'}.",
        "## One training step",
        "\n".join(race_steps(given.rounds, given.pytorch if torch else None)),
        "## Reading pictures",
        f"The {len(faces):,} sample faces, 64 × 64, batches of 128.",
        "\n".join(race_pipelines(root, given.rounds)),
        f"In an epoch of the `class` profile the loop waits for data {share:.2%} of "
        "its time.",
        "## Memory",
        f"Resident after the 2nd of 20 epochs of 64 small steps: {memory[1]:.0f} MB, "
        f"after the 20th: {memory[-1]:.0f} MB.",
        "## Start-up",
        "\n".join(time_startup(root, given.rounds)),
    ]
    target = HERE / "results.md"
    old = target.read_text(encoding="utf-8")
    begin, end = "<!-- measured -->", "<!-- end of measured -->"
    head, tail = old.split(begin)[0], old.split(end)[1]
    new = "\n\n".join(parts)
    target.write_text(f"{head}{begin}\n\n{new}\n\n{end}{tail}", encoding="utf-8")
    print(f"written: {target}")


if __name__ == "__main__":
    main()
