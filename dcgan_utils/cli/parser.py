"""The words that ``dcgan`` takes; what the commands do stands in commands.py."""

import argparse
import difflib
import os
import re
import signal
import sys
from functools import partial

from .. import CourseError
from ..device import prepare_runtime
from ..settings import PRESETS, recipe
from ..training.settings_file import read_options, words_of
from .output import lasting_output
from .values import PAIRS, VALUES

ABOUT = "Train a DCGAN, draw with it, export it: what the lessons teach, as commands."


MORE = """\
try all of it in a few minutes, without pictures of your own:
  dcgan faces --stand-in photos
  dcgan train --preset imagenet32 --data photos --out run --epochs 2
  dcgan generate --checkpoint run --out run
  dcgan export --checkpoint run --format ONNX

exit codes:
  0    done
  1    failed while running; what was saved before stands
  2    bad input, told in one sentence on stderr; nothing was written
  130  stopped by Ctrl-C or SIGTERM. A training has saved all its steps: go on with
       --resume. A second Ctrl-C does not wait for that: what was saved before stands.
       (143 after a SIGTERM to several workers)
"""


TRAIN = """\
Train from a preset: smoke (seconds), class (a laptop), full (as published), or
imagenet32, the DCGAN of MindSpore's ModelZoo. It saves after every epoch, every five
minutes and when it is stopped; with --resume it goes on as if it had never been: the
same pictures, noise and weights. Nothing in DATA is changed; what in it cannot be used
is left out, and counted. DIR gets checkpoints, frames, settings.toml, history.jsonl.
"""


def _check(args) -> int:
    from .check_machine import check_machine

    ready = check_machine()
    print(f"{'ready' if ready else 'NOT ready'}, {os.cpu_count()} cores")
    return 0 if ready else 1


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one sentence."""

    def __init__(self, *arguments, **options):
        super().__init__(
            *arguments,
            allow_abbrev=False,
            formatter_class=partial(
                argparse.RawDescriptionHelpFormatter, max_help_position=26, width=88
            ),
            **options,
        )

    def parse_known_args(self, words=None, namespace=None):
        """What argparse does; but here each command complains of its own options."""
        found, unknown = super().parse_known_args(words, namespace)
        if unknown:
            typed = unknown[0].partition("=")[0]
            guess = _guess(typed, self._option_string_actions)
            self.error(f"there is no {typed} here{guess}")
        return found, unknown

    def error(self, message):
        """End with exit code 2 and one sentence, which guesses what was meant."""
        choice = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        if choice:
            message += _guess(choice[1], re.findall(r"[\w-]+", choice[2]))
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _guess(typed, known):
    (*guess,) = difflib.get_close_matches(typed, known, n=1)
    return f", did you mean {guess[0]}?" if guess else ""


def _number(kind, low, high):
    """What argparse needs to read a number from low to high."""

    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            words = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(
                f"{text} is no {words} from {low} to {high}"
            )
        return value

    return convert


def _options_file(path):
    """What argparse needs to read a settings file."""
    try:
        return read_options(path)
    except CourseError as error:
        raise argparse.ArgumentTypeError(error) from None


def _parse(words):
    """What argparse reads; the options of a settings file come before those typed."""
    args = _parser().parse_args(words)
    if not getattr(args, "config", None):
        return args
    options = args.config
    for both, each in PAIRS.items():
        if getattr(args, both) is not None:  # or those of the file would count more
            options = {n: value for n, value in options.items() if n not in each}
    return _parser().parse_args([words[0], *words_of(options), *words[1:]])


def _parser():
    """The parser of all commands; each is a function of commands.py."""
    parser = _Parser("dcgan", description=ABOUT, epilog=MORE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("check", help="is this machine ready?")
    text = "draw or download pictures to train on"
    _faces_options(commands.add_parser("faces", help=text))
    usage = "dcgan train [--preset NAME] [--data DATA] [--out DIR] [more: see below]"
    words = {"help": "train, stop, go on", "description": TRAIN, "usage": usage}
    _train_options(commands.add_parser("train", add_help=False, **words))
    text = "draw pictures with a trained generator"
    generate = commands.add_parser("generate", help=text)
    text = "write a generator for use without this course"
    export = commands.add_parser("export", help=text)
    for command in (generate, export):
        text = "a .ckpt file; or a training's folder: its newest one"
        command.add_argument("--checkpoint", metavar="CKPT", required=True, help=text)
    _generate_options(generate)
    _export_options(export)
    for command in (generate, export):
        _device_options(command)
    return parser


def _faces_options(faces):
    add = faces.add_argument
    add("--data", choices=("sample", "anime"), help="drawn by us, or downloaded")
    text = "so many sample faces"
    add("--count", type=_number(int, 1, 10**6), metavar="N", help=text)
    text = (
        "make DIR/train/<hair colour>/*.JPEG of sample faces (512, or --count), laid "
        "out as ImageNet is, to try `dcgan train --data DIR`"
    )
    add("--stand-in", metavar="DIR", help=text)


def _train_options(train):
    where = train.add_argument_group("what, where and how")
    add = where.add_argument
    add("-h", "--help", action="help", help=argparse.SUPPRESS)
    add("--preset", choices=PRESETS, metavar="NAME", help="class by default")
    text = (
        "a folder of pictures, at any depth (of train/ and val/ only train/); or: "
        "sample, anime"
    )
    add("--data", metavar="DATA", help=text)
    add("--out", metavar="DIR", help="for all results; a folder in build by default")
    text = "options as lines: a run's settings.toml; typed ones win"
    add("--config", metavar="FILE", type=_options_file, help=text)
    add = where.add_mutually_exclusive_group().add_argument
    text = "go on from the newest checkpoint: no more need be typed"
    add("--resume", action="store_true", help=text)
    text = "the same, or start if there is none: for requeued jobs"
    add("--resume-or-start", action="store_true", help=text)
    add("--fresh", action="store_true", help="delete the training in DIR, start anew")
    add, many = where.add_argument, _number(int, 1, 10**6)
    text = "so many checkpoints, the newest; 2 by default"
    add("--keep", type=many, metavar="N", help=text)
    text = "so many processes train one model together (lesson 09)"
    add("--workers", type=int, metavar="N", help=text)
    text = "where they meet; a free one by default"
    add("--port", type=int, default=0, metavar="N", help=text)
    text = "an old hccl.json: as many workers as it has devices"
    add("--rank-table", metavar="FILE", help=text)
    _device_options(where)
    title = "values in place of the preset's (those of class, imagenet32)"
    add = train.add_argument_group(title).add_argument
    for name, (kind, low, high, text) in VALUES.items():
        option, letter = f"--{name.replace('_', '-')}", "N" if kind is int else "X"
        if name in recipe(PRESETS["class"]):
            here, there = (getattr(PRESETS[p], name) for p in ("class", "imagenet32"))
            text += f" ({here}, {there})"
        add(option, type=_number(kind, low, high), metavar=letter, help=text)


def _device_options(command):
    add, choices = command.add_argument, ("auto", "cpu", "ascend")
    text = "auto, cpu or ascend; DCGAN_DEVICE or auto by default"
    options = {"choices": choices, "metavar": "NAME", "help": text}
    add("--device", type=str.lower, **options)
    text = "NPU of one process, from 0; DEVICE_ID or the first by default"
    add("--device-id", type=_number(int, 0, 1023), metavar="N", help=text)


def _generate_options(generate):
    add = generate.add_argument
    add("--out", metavar="DIR", required=True, help="gets the pictures")
    text = "pictures, 16 by default"
    add("--count", type=_number(int, 1, 10**5), default=16, metavar="N", help=text)
    text = "a file for each picture, picture-00001.png …, and no grid"
    add("--single", action="store_true", help=text)
    text = "of the grid; as many as rows by default"
    add("--columns", type=_number(int, 1, 1000), metavar="N", help=text)
    text = "another one, other pictures; that of the training by default"
    add("--seed", type=_number(*VALUES["seed"][:3]), metavar="N", help=text)


def _export_options(export):
    formats = ("MINDIR", "ONNX", "AIR")
    add = export.add_argument
    text = "MINDIR by default"
    add("--format", choices=formats, default="MINDIR", type=str.upper, help=text)
    add("--out", metavar="DIR", help="beside the checkpoint by default")


def main(words=None) -> int:
    """Run one command, given as a list of words (sys.argv's); returns the exit code."""
    # A name that the terminal or the log cannot show is no reason to stop.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if words is None else list(words)
    args = _parse(words)
    if args.command == "check":
        return _check(args)
    if getattr(args, "device", None):
        os.environ["DCGAN_DEVICE"] = args.device  # for the workers, too
    if getattr(args, "device_id", None) is not None:
        os.environ["DEVICE_ID"] = str(args.device_id)
    prepare_runtime()
    with lasting_output():
        return _run_or_explain(args)


def _run_or_explain(args) -> int:
    try:
        return _run(args)
    except CourseError as error:
        sentence, code = str(error), 1 if error.while_running else 2
    except OSError as error:  # a disk that is full, a folder that is taken away
        sentence, code = f"it failed while running: {error}.", 1
    except KeyboardInterrupt:
        sentence, code = "interrupted; what was saved before stands.", 130
    print(f"dcgan {args.command}: {sentence}", file=sys.stderr)
    return code


def _run(args) -> int:
    # With it comes MindSpore, which takes seconds. A Ctrl-C amid its import would crash
    # the process, so it takes effect afterwards.
    asked, before = [], signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *seen: asked.append(seen))
    from . import commands

    signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
    run = {
        "faces": commands.faces,
        "train": commands.train_command,
        "generate": commands.generate_command,
        "export": commands.export,
    }[args.command]
    return run(args)
