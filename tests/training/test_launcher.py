"""What starts and ends a job of several workers, and what is said of it."""

import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest
from tiny_job import running, start, start_job

from dcgan_utils import CourseError
from dcgan_utils.files import lock_file
from dcgan_utils.training.checkpoint import newest_checkpoint
from dcgan_utils.training.launcher import (
    check_job,
    count_devices,
    launch,
    read_rank_table,
    worker_log,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="msrun runs on Linux only")
OBEDIENT = "import os; print(flush=True); os.read(0, 1)"
IDLE = "import time; print(flush=True); time.sleep(600)"
# No real worker fails sooner than after two seconds: it imports MindSpore first.
FAILING = """
import os, sys, time
time.sleep(2)
if os.environ["MS_ROLE"] == "MS_WORKER" and os.environ["RANK_ID"] == "1":
    print("[WARNING] ME(1): a log line")
    print("No such folder: x.")
    sys.exit(3)
"""


def wait_for(path, process):
    """Wait until a worker has written to a file."""
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


# --- what ends a job -----------------------------------------------------------------


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_job_saves_and_leaves_nothing_behind(tmp_path, faces_20, number):
    """Ctrl-C, and a launcher that is killed: all workers stop after the same step."""
    words = "-m dcgan_utils train --workers 2 --preset smoke --epochs 999"
    words += " --image-size 32 --feature-maps 4 --batch-size 4"
    launcher = start(*words.split(), "--data", faces_20, "--out", tmp_path)
    wait_for(tmp_path / "frames" / "epoch-0001.png", launcher)
    launcher.send_signal(number)
    said = launcher.communicate()
    assert launcher.returncode == (130 if number == signal.SIGINT else -9), said
    seconds = 1 if number == signal.SIGINT else 60
    assert not psutil.wait_procs(running(tmp_path), timeout=seconds)[1]
    logs = [worker_log(tmp_path / "logs", rank) for rank in (0, 1)]
    steps = [re.findall(r"Stopped after step ([\d,]+) of 2,997", log) for log in logs]
    saved = len(newest_checkpoint(tmp_path)["history"])
    assert steps == [[f"{saved:,}"], [f"{saved:,}"]]


@linux
@pytest.mark.parametrize(
    ("program", "signals", "code"),
    [(OBEDIENT, [signal.SIGTERM], 143), (IDLE, [signal.SIGINT] * 2, -signal.SIGINT)],
)
def test_an_interrupt_asks_and_a_second_one_ends(tmp_path, program, signals, code):
    launcher = start_job(tmp_path, "-c", program, tmp_path)
    wait_for(tmp_path / "logs" / "worker_1.log", launcher)
    for number in signals:
        launcher.send_signal(number)
        time.sleep(1)
    said = launcher.communicate()
    assert launcher.returncode == code, said
    assert not running(tmp_path)


@linux
def test_a_worker_that_fails_is_named_with_its_last_words(tmp_path):
    """And its exit code is forwarded."""
    launcher = start_job(tmp_path, "-c", FAILING)
    printed, errors = launcher.communicate()
    assert (launcher.returncode, printed) == (3, "")
    first, last = errors.splitlines()
    assert first.startswith("Worker 1 ended with exit code 3, so the whole job was")
    assert last == "No such folder: x."


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "given", "pattern"),
    [
        ("win32", (2, 0), "Linux only: leave out --workers"),
        ("linux", (0, 0), "--workers is 0, and this machine has .*: take 1 to .* with"),
        ("linux", (999, 0, True), "The rank table lists 999 devices, and this machine"),
        ("linux", (2, 70_000), "--port takes 1024 to 65535, not 70000"),
        ("linux", (2, "busy"), "Port .* is in use: name another"),
    ],
)
def test_a_job_that_cannot_run_here_is_refused(system, given, pattern, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    with socket.socket() as busy, pytest.raises(CourseError, match=pattern):
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        workers, port, *more = given
        check_job(workers, busy.getsockname()[1] if port == "busy" else port, *more)


@linux
def test_logs_that_cannot_be_written_get_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match=r"No logs can be written to .*file"):
        launch(["-c", "print(1)"], 2, log_dir=tmp_path / "file")
    another = pytest.raises(CourseError, match="Another job writes its logs to")
    with lock_file(tmp_path / "msrun.log"), another:
        launch(["-c", "print(1)"], 2, log_dir=tmp_path)


@pytest.mark.parametrize(
    ("npus", "visible", "device", "cores", "expected"),
    [
        (0, "", "auto", 1, (2, "processor cores")),  # two can be tried on any machine
        (0, "0,1", "auto", 3, (3, "processor cores")),
        (8, "", "cpu", 48, (48, "processor cores")),
        (8, "", "auto", 48, (8, "NPUs")),
        (8, "2,5,6", "auto", 48, (3, "NPUs")),
    ],
)
def test_devices_are_counted(npus, visible, device, cores, expected, monkeypatch):
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(Path, "glob", lambda dev, pattern: range(npus))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setenv("DCGAN_DEVICE", device)
    assert count_devices() == expected


def test_a_rank_table_is_read_for_its_number_of_devices(tmp_path):
    table = tmp_path / "hccl_2p.json"
    device = {"device_id": "0", "device_ip": "192.0.2.1", "rank_id": "0"}
    servers = [{"server_id": "10.0.0.1", "device": [device] * 8}] * 2
    table.write_text(json.dumps({"version": "1.0", "server_list": servers}))
    assert read_rank_table(table) == 16
    for wrong in ("no json", "[1, 2]", '{"server_list": [3]}', "{}"):
        table.write_text(wrong)
        with pytest.raises(CourseError, match=r"is no rank table.*not needed"):
            read_rank_table(table)
    with pytest.raises(CourseError, match=r"There is no file .*nowhere.json"):
        read_rank_table(tmp_path / "nowhere.json")
