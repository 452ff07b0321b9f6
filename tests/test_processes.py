"""Work on all cores: in order, whoever ends too early, and when it is interrupted."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from dcgan_utils.processes import on_all_cores


def leave(part, first):
    if part == 3 and os.getpid() != first:
        os._exit(9)  # as where the memory is full
    return part


def test_what_a_process_leaves_is_done_here(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    work = partial(leave, first=os.getpid())
    assert list(on_all_cores(work, range(9))) == list(range(9))
    # None can be started:
    no_python = os.fsencode(shutil.which("false"))
    monkeypatch.setattr("multiprocessing.spawn._python_exe", no_python)
    assert list(on_all_cores(work, range(9))) == list(range(9))


def test_an_error_in_the_work_comes_through():
    results = on_all_cores(int, ["1", "x", "2"])
    assert next(results) == 1
    with pytest.raises(ValueError, match="'x'"):
        next(results)


def test_no_semaphore_is_needed(monkeypatch):
    """None can be had where /dev/shm may not be written."""
    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", None)
    assert list(on_all_cores(abs, [-1, -2])) == [1, 2]


# As students write it: nothing keeps a second process from running it, too.
SCRIPT = """
import os, sys, time
from dcgan_utils.processes import on_all_cores
os.cpu_count = lambda: 2
print("starts", flush=True)
for _ in on_all_cores(time.sleep, [0] + [float(sys.argv[1])] * 99):
    print("works", flush=True)
"""


@pytest.mark.parametrize(
    ("seconds", "word", "kill", "signals"),
    [
        (60, "starts", "killpg", [signal.SIGINT]),
        (60, "works", "killpg", [signal.SIGINT, signal.SIGINT]),  # an impatient one
        (60, "works", "kill", [signal.SIGINT]),  # a notebook's interrupt
        (0.5, "works", "kill", [signal.SIGKILL]),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_no_process_is_left(tmp_path, seconds, word, kill, signals):
    (tmp_path / "work.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "work.py", str(seconds)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
    )  # fmt: skip
    while word not in process.stdout.readline():
        pass
    for number in signals:
        time.sleep(0.2)
        getattr(os, kill)(process.pid, number)
    # The pipes end with the last of the processes.
    out, err = process.communicate(timeout=20)
    assert "starts" not in out and "spawn_main" not in err
