"""A shell to type ``dcgan`` into. It runs in this process and notes what is read."""

import io
import sys
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from types import SimpleNamespace

from dcgan_utils.cli.parser import main

SMALL = "--image-size 32 --feature-maps 4 --batch-size 8"
READS = {"open": "opened", "os.scandir": "listed", "os.listdir": "listed"}
running = []  # the command that runs, if one does


@sys.addaudithook
def note(event, arguments):
    if running and event in READS:
        getattr(running[0], READS[event]).append(str(arguments[0]))


def dcgan(line):
    """Run ``dcgan LINE``: its code, what it printed (out, err), opened and listed."""
    done = SimpleNamespace(opened=[], listed=[])
    running.append(done)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            done.code = main(line.split())
        except SystemExit as stop:  # argparse
            done.code = stop.code
        finally:
            running.clear()
    done.out, done.err = out.getvalue(), err.getvalue()
    return done


def snapshot(folder):
    """Every file and folder below a folder; of files what is in them, and when."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) if path.is_file() else None
        for path in folder.rglob("*")
    }


def assert_refused(line, told, *folders, rights=nullcontext):
    """One sentence on stderr, exit code 2, nothing written to these folders."""
    before = [snapshot(folder) for folder in folders]
    with rights():
        done = dcgan(line)
    assert done.code == 2 and done.err.count("\n") == 1, done.err
    assert done.err.startswith("dcgan") and told in done.err
    assert [snapshot(folder) for folder in folders] == before
