"""Start a job of several workers with msrun, watch it, and leave nothing behind.

Light: it imports no MindSpore. What the workers do is in parallel.py.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from .. import CourseError

LAUNCHER = "DCGAN_LAUNCHER"  # in a worker's environment: the process that started it


# Asks a worker to stop. Not SIGTERM: MindSpore ends a worker with that one when it has
# lost another, and then no step can be waited for.
STOP = getattr(signal, "SIGUSR1", None)


OWN_LINE = re.compile(r"\[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\] ")  # MindSpore's


def in_job() -> bool:
    """Whether msrun started this process, as a worker or as the scheduler."""
    return bool(os.environ.get("MS_ROLE"))


def count_devices() -> tuple[int, str]:
    """How many workers can run here, and what of: NPUs, else processor cores.

    Two workers are always allowed on a CPU, so that data parallel can be tried.
    """
    npus = len(list(Path("/dev").glob("davinci[0-9]*")))
    if npus and os.environ.get("DCGAN_DEVICE", "auto").lower() != "cpu":
        return npus, "NPUs"
    return max(2, os.cpu_count() or 1), "processor cores"


def read_rank_table(path) -> int:
    """The number of devices in a rank table (hccl.json). Nothing else of it is needed.

    Raises CourseError if the file is not a rank table.
    """
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
        count = sum(len(server["device"]) for server in table["server_list"])
    except (OSError, ValueError, TypeError, LookupError):
        count = 0
    if not count:
        raise CourseError(
            f"{path} is no rank table (hccl.json) with a server_list of devices: "
            "leave it out, it is not needed."
        )
    return count


def launch(command, workers, port=0, log_dir="logs") -> int:
    """Run ``python COMMAND`` as a job of so many workers on this machine.

    command: what stands after ``python``, such as ``["-m", "dcgan_utils", "train"]``.
    port: where the workers meet, 1024 to 65535; 0 takes a free one. What worker 0
    prints is shown as it comes; the logs of all are in log_dir. An interrupt
    (SIGINT, SIGTERM) asks the workers to stop; a second one ends them at once.

    Returns 0 when all went well, 130 or 143 after an interrupt, else the exit code of
    the worker that failed (1 if it was killed), having said on stderr which and why.
    Raises CourseError for a number of workers or a port that cannot be.
    """
    check_job(workers, port)
    log_dir = Path(log_dir)
    python = Path(sys.executable)
    with _claim(log_dir) as log:
        job = _Job(log_dir)
        options = {
            "args": [
                *(python, "-m", "mindspore.parallel.cluster.run"),
                *(f"--worker_num={workers}", f"--local_worker_num={workers}"),
                *("--master_addr=127.0.0.1", f"--master_port={port or _free_port()}"),
                *(f"--log_dir={log_dir}", "--join=True"),
                f"--tail_worker_log={workers}",  # none: we show worker 0 ourselves
                *("python", *map(str, command)),
            ],
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,  # a Ctrl-C reaches us alone
            "env": {
                **os.environ,
                # msrun says "python" and means the first one on the path.
                "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "PYTHONUNBUFFERED": "1",
                "GLOG_v": "3",  # msrun must say which worker failed
                LAUNCHER: str(os.getpid()),
            },
        }
        with _interrupts(job.interrupt):
            try:
                job.msrun = subprocess.Popen(**options)
                return job.watch()
            finally:
                job.end()


def how_it_ended(code) -> str:
    """An exit code in words; a negative one is that of a signal."""
    if code < 0:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"


def worker_log(log_dir, rank) -> str:
    """What a worker has printed, without MindSpore's own log lines."""
    path = Path(log_dir) / f"worker_{rank}.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    return "".join(line for line in text.splitlines(True) if not OWN_LINE.match(line))


@contextlib.contextmanager
def _claim(log_dir):
    """The file that msrun writes to, held against other jobs; old logs are deleted."""
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        log = open(log_dir / "msrun.log", "a", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise CourseError(
            f"No logs can be written to {log_dir} ({error.strerror}): take another "
            "folder, or make it writable."
        ) from None
    with log:
        import fcntl  # Linux has it, and msrun runs nowhere else

        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(
                f"Another job writes its logs to {log_dir}: wait for its end, or take "
                "another folder."
            ) from None
        log.truncate(0)
        for old in (*log_dir.glob("worker_*.log"), log_dir / "scheduler.log"):
            old.unlink(missing_ok=True)
        yield log


def check_job(workers, port):
    """Raise CourseError for a number of workers or a port that cannot be."""
    if not sys.platform.startswith("linux"):
        raise CourseError(
            "Several workers need msrun, which runs on Linux only: leave out --workers."
        )
    there, what = count_devices()
    if not 1 <= workers <= there:
        raise CourseError(
            f"--workers {workers} cannot be: this machine has {there} {what}, so take "
            f"1 to {there}."
        )
    if port and not 1024 <= port <= 65535:
        raise CourseError(f"--port {port} cannot be: take one from 1024 to 65535.")
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise CourseError(
                    f"Port {port} is in use: name another with --port, or leave it "
                    "out, and a free one is found."
                ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _interrupts(handler):
    """Call handler on SIGINT and SIGTERM; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {n: signal.signal(n, handler) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, was in old.items():
            signal.signal(number, was)


class _Job:
    """A running msrun with all its processes."""

    def __init__(self, log_dir):
        self.msrun, self.log_dir = None, log_dir
        self.processes = {}  # all of them: process → a worker's rank, else None
        self.asked = 0  # the signal that asked for an end
        self.told = set()  # the workers who know
        self.shown = 0  # characters of worker 0's log

    def watch(self) -> int:
        """Show worker 0's log until the job is over; returns the exit code."""
        while self.msrun.poll() is None:
            self._find_processes()
            self._pass_on()
            self._show()
            if self._failure():
                break  # msrun would wait for the scheduler, which waits for the dead
            time.sleep(0.2)
        self._show(to_the_end=True)
        failure = self._failure()
        if failure and not (self.asked and failure[1] == -STOP):
            return self._explain(*failure)
        if self.asked:
            return 128 + self.asked
        if self.msrun.returncode:
            print(
                f"msrun failed: see {self.log_dir / 'msrun.log'} and "
                f"{self.log_dir / 'scheduler.log'}.",
                file=sys.stderr,
            )
            return 1
        return 0

    def interrupt(self, number, frame=None):
        """Ask the workers to stop; asked twice, end them."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = number

    def end(self):
        """Kill what is still there."""
        if self.msrun is None:
            return
        self._find_processes()
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.msrun.kill()
        self.msrun.wait()
        psutil.wait_procs(list(self.processes), timeout=10)

    def _find_processes(self):
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.msrun.pid).children(recursive=True):
                if self.processes.get(process) is None:  # it may have just been born
                    self.processes[process] = self._rank_of(process)

    def _rank_of(self, process):
        with contextlib.suppress(psutil.Error):
            there = process.environ()
            below_msrun = process.ppid() == self.msrun.pid
            if below_msrun and there.get("MS_ROLE") == "MS_WORKER":
                return int(there["RANK_ID"])
        return None

    def _pass_on(self):
        workers = {p for p, rank in self.processes.items() if rank is not None}
        for process in workers - self.told if self.asked else ():
            with contextlib.suppress(psutil.Error):
                process.send_signal(STOP)
            self.told.add(process)

    def _show(self, to_the_end=False):
        text = worker_log(self.log_dir, 0)
        whole = len(text) if to_the_end else text.rfind("\n") + 1
        if whole > self.shown:
            print(text[self.shown : whole], end="", flush=True)
            self.shown = whole

    def _failure(self):
        text = (self.log_dir / "msrun.log").read_text(errors="replace")
        found = re.search(
            r"process (\d+) exit with exception. Error code: (-?\d+)", text
        )
        return found and (int(found.group(1)), int(found.group(2)))

    def _explain(self, pid, code) -> int:
        ranks = {process.pid: rank for process, rank in self.processes.items()}
        rank = ranks.get(pid)
        name = "A worker" if rank is None else f"Worker {rank}"
        log = self.log_dir / ("msrun.log" if rank is None else f"worker_{rank}.log")
        told = f"{name} {how_it_ended(code)}, so the whole job was ended: see {log}."
        print(told, file=sys.stderr)
        words = worker_log(self.log_dir, rank).split("\n")
        if code > 0 and any(words):
            print([line for line in words if line.strip()][-1], file=sys.stderr)
        return code if code > 0 else 1
