"""Run the notebooks: into a folder, in place, or under nbval (see Makefile)."""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from dcgan_utils import CourseError
from dcgan_utils.settings import course_root


def run_notebook(path, target, cwd) -> tuple[float, float]:
    """Execute one notebook with its prints on the screen; returns seconds and GB.

    The executed notebook goes to target, also when a cell fails. Raises CourseError
    that names the lesson, if one does.
    """
    import nbformat
    import psutil
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    bar_shown = [0.0]

    class LoudClient(NotebookClient):
        def output(self, outs, msg, display_id, cell_index):
            if msg["msg_type"] == "stream":
                text = msg["content"]["text"]
                if sys.stdout.isatty() or not text.startswith("\r"):
                    print(text, end="", flush=True)
                elif time.monotonic() - bar_shown[0] > 30:  # in a log, a line at times
                    print(text.strip().split("\r")[-1], flush=True)
                    bar_shown[0] = time.monotonic()
            return super().output(outs, msg, display_id, cell_index)

    if not Path(path).is_file():
        raise CourseError(f"There is no notebook {path}.")
    notebook = nbformat.read(path, as_version=4)
    client = LoudClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(cwd)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    peak, done = [0.0], threading.Event()

    def watch_memory():
        me = psutil.Process()
        while not done.wait(0.5):
            try:
                used = sum(p.memory_info().rss for p in me.children(recursive=True))
                peak[0] = max(peak[0], used / 1e9)
            except psutil.Error:
                pass  # a process ended while we looked

    threading.Thread(target=watch_memory, daemon=True).start()
    started = time.monotonic()
    failure = None
    try:
        client.execute()
    except CellExecutionError as error:
        failure = error
    finally:
        done.set()
    # A progress bar's hundred states become its last one.
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, target)
    if failure:
        raise CourseError(
            f"{Path(path).name} stopped with {failure.ename}: {failure.evalue} "
            f"All its outputs are in {target}."
        )
    return time.monotonic() - started, peak[0]


def run_lessons(paths, into) -> None:
    """Execute lessons one after another into a folder and say where the results are."""
    into = Path(into).resolve()
    into.mkdir(parents=True, exist_ok=True)
    os.environ["DCGAN_BUILD_DIR"] = str(into)
    rows = []
    for path in map(Path, paths):
        print(f"\n=== {path.stem} " + "=" * (70 - len(path.stem)), flush=True)
        seconds, memory = run_notebook(path, into / path.name, path.parent)
        rows.append(f"{path.stem:<16} {seconds:6.0f} s  {memory:4.1f} GB")
    print("\n" + "\n".join(rows))
    print(f"\nThe executed lessons and the results are in {into}:")
    for name in ("dcgan.gif", "losses.png", "new_faces.png"):
        if (into / name).exists():
            print(f"  {into / name}")


def execute_lessons(paths) -> None:
    """Store fresh outputs in the notebooks, from one run each in a new folder.

    Lessons 01 to 04 share theirs. The others speak of the course's own weights, so
    they must not find the training of lesson 03.
    """
    os.environ.update(DCGAN_PROFILE="class", DCGAN_DATA="sample")
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, paths):
            own = "core" if path.stem < "05" else path.stem
            os.environ["DCGAN_BUILD_DIR"] = str(Path(folder) / own)
            print(f"\n=== {path.stem}", flush=True)
            seconds, memory = run_notebook(path, path, path.parent)
            print(f"{path.stem:<16} {seconds:6.0f} s  {memory:4.1f} GB", flush=True)


def smoke_test() -> int:
    """Run every notebook under nbval in the smoke profile; returns the exit code.

    Each lesson after 03 runs a second time in an empty folder, to show that it starts
    cold from ``weights/``.
    """
    root = course_root()
    lessons = sorted(map(str, (root / "notebooks").glob("[0-9]*.ipynb")))
    solutions = sorted(map(str, (root / "notebooks" / "solutions").glob("*.ipynb")))
    cold = [path for path in lessons if Path(path).name > "04"]
    with tempfile.TemporaryDirectory() as folder:
        codes = [
            _nbval(lessons + solutions, Path(folder), "build"),
            *(_nbval([path], Path(folder), Path(path).stem) for path in cold),
        ]
    return max(codes)


def _nbval(paths, folder, build) -> int:
    environment = {
        **os.environ,
        "DCGAN_PROFILE": "smoke",
        "DCGAN_DATA": "sample",
        "DCGAN_BUILD_DIR": str(folder / build),
        "DCGAN_DATA_DIR": str(folder / "data"),
    }
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider"]
    command += ["--nbval-cell-timeout=600", "--timeout=0", *paths]
    return subprocess.run(command, env=environment, cwd=course_root()).returncode


def main(arguments=None) -> int:
    """The command line behind ``make run``, ``make execute`` and ``make test``."""
    parser = argparse.ArgumentParser(prog="python tools/notebooks.py")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="execute lessons into a folder")
    run.add_argument("notebooks", nargs="+")
    run.add_argument("--into", default="build")
    execute = commands.add_parser("execute", help="store fresh outputs in place")
    execute.add_argument("notebooks", nargs="+")
    commands.add_parser("smoke", help="nbval on every notebook, smoke profile")
    given = parser.parse_args(arguments)
    try:
        if given.command == "run":
            run_lessons(given.notebooks, given.into)
        elif given.command == "execute":
            execute_lessons(given.notebooks)
        else:
            return smoke_test()
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
