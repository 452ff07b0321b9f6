"""Start a job of several workers with msrun, watch it, and leave nothing behind.

Light: it imports no MindSpore. What a worker does is in workers.py.
"""

import json
import os
import re
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import psutil

from .. import CourseError
from ..files import lock_file

LAUNCHER = "DCGAN_LAUNCHER"  # in a worker's environment: the process that started it

# Asks a worker to stop. Not SIGTERM: MindSpore ends a worker with that one when it has
# lost another, and then no step can be waited for.
STOP = getattr(signal, "SIGUSR1", None)

MINDSPORE_LINE = re.compile(r"\[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\] ")
FAILED = re.compile(r"process (\d+) exit with exception. Error code: (-?\d+)\.")


def in_job() -> bool:
    """Whether msrun started this process, as a worker or as the scheduler."""
    return bool(os.environ.get("MS_ROLE"))


def count_devices() -> tuple[int, str]:
    """How many workers can run here, and what of: NPUs, else processor cores.

    Where ASCEND_RT_VISIBLE_DEVICES leaves this process some of the NPUs, only those.
    Two workers are always allowed on a CPU, so that data parallel can be tried.
    """
    npus = len(list(Path("/dev").glob("davinci[0-9]*")))
    if visible := os.environ.get("ASCEND_RT_VISIBLE_DEVICES"):
        npus = min(npus, len(visible.split(",")))
    if npus and os.environ.get("DCGAN_DEVICE", "auto").lower() != "cpu":
        return npus, "NPUs"
    return max(2, os.cpu_count() or 1), "processor cores"


def read_rank_table(path) -> int:
    """The number of devices in a rank table (hccl.json). Nothing else of it is needed.

    Raises CourseError if the file is not there or is no rank table.
    """
    path = Path(path)
    if not path.is_file():
        raise CourseError(f"There is no file {path}: a rank table can be left out.")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return sum(len(server["device"]) for server in table["server_list"])
    except (ValueError, TypeError, LookupError):
        raise CourseError(
            f"{path} is no rank table (hccl.json) with a server_list of devices: "
            "leave it out, it is not needed."
        ) from None


def check_job(workers, port, rank_table=False):
    """Raise CourseError where such a job cannot run on this machine.

    rank_table: whether the number of workers comes from one.
    """
    if not sys.platform.startswith("linux"):
        raise CourseError(
            "Several workers need msrun, which runs on Linux only: leave out --workers."
        )
    count, what = count_devices()
    if not 1 <= workers <= count:
        asked = "The rank table lists {} devices" if rank_table else "--workers is {}"
        raise CourseError(
            f"{asked.format(workers)}, and this machine has {count} {what}: take 1 to "
            f"{count} with --workers."
        )
    if port and not 1024 <= port <= 65535:
        raise CourseError(f"--port takes 1024 to 65535, not {port}.")
    try:
        _bind(port)
    except OSError:
        raise CourseError(
            f"Port {port} is in use: name another with --port, or leave it out, and a "
            "free one is found."
        ) from None


def _bind(port) -> int:
    """Take a port for a moment, 0 any free one; returns its number."""
    with socket.create_server(("127.0.0.1", port)) as probe:
        return probe.getsockname()[1]


def launch(command, workers, port=0, log_dir="logs") -> int:
    """Run ``python COMMAND`` as a job of so many workers on this machine.

    command: what stands after ``python``, such as ``["-m", "dcgan_utils", "train"]``.
    port: where the workers meet, 1024 to 65535; 0 takes a free one. What worker 0
    prints is shown as it comes; the logs of all are in log_dir. An interrupt
    (SIGINT, SIGTERM) asks the workers to stop; a second one ends them at once.

    Returns 0 when all went well, 130 or 143 after an interrupt, else the exit code of
    the worker that failed (1 if it was killed), having said on stderr which and why.
    Raises CourseError where check_job does, and where no logs can be written.
    """
    check_job(workers, port)
    with _claim(Path(log_dir)) as log, ExitStack() as at_the_end:
        job = _Job(command, workers, port or _bind(0), log)
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.signal(number, job.interrupt)
            at_the_end.callback(signal.signal, number, before)
        at_the_end.callback(job.end)
        return job.watch()


def _claim(log_dir):
    """Open msrun.log and hold it against other jobs; old logs are deleted."""
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        log = lock_file(log_dir / "msrun.log")
        for old in log_dir.glob("worker_*.log") if log else ():
            old.unlink()
    except OSError as error:
        raise CourseError(
            f"No logs can be written to {log_dir} ({error.strerror}): take another "
            "folder, or make it writable."
        ) from None
    if not log:
        raise CourseError(
            f"Another job writes its logs to {log_dir}: wait for its end, or take "
            "another folder."
        )
    log.truncate(0)
    return log


def worker_log(log_dir, rank) -> str:
    """What a worker has printed, without MindSpore's own log lines."""
    path = Path(log_dir) / f"worker_{rank}.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not MINDSPORE_LINE.match(line))


class _Job:
    """A running msrun, which writes to the file log, and its workers."""

    def __init__(self, command, workers, port, log):
        self.log_dir = Path(log.name).parent
        self.workers = {}  # process number → rank
        self.asked = 0  # the signal that asked for an end
        options = (
            f"-m mindspore.parallel.cluster.run --join=True --master_port={port} "
            f"--worker_num={workers} --local_worker_num={workers} "
            f"--tail_worker_log={workers}"  # that is, of none: we show worker 0
        )
        words = [f"--log_dir={self.log_dir}", "python", "-u", *map(str, command)]
        self.msrun = Popen(
            [sys.executable, *options.split(), *words],
            stdin=PIPE,  # when it is closed, the workers stop: see workers.py
            stdout=log,
            stderr=STDOUT,
            start_new_session=True,  # a Ctrl-C reaches us alone
            env={
                **os.environ,
                LAUNCHER: str(os.getpid()),
                # msrun says "python" and means the first one there.
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "GLOG_v": "3",  # msrun must say which worker failed
            },
        )

    def watch(self) -> int:
        """Wait for the end of the job; returns its exit code."""
        failed = self._follow_logs()
        if self.asked and (not failed or int(failed[2]) == -STOP):
            return 128 + self.asked
        if failed:
            return self._explain(int(failed[1]), int(failed[2]))
        if self.msrun.returncode:
            print(f"msrun failed: see its logs in {self.log_dir}.", file=sys.stderr)
        return 1 if self.msrun.returncode else 0

    def _follow_logs(self):
        """Show worker 0's log until the job is over or a worker has failed.

        Returns what msrun says of that one, matched: the rest would wait for it.
        """
        report, over, failed = "", False, None
        with (
            open(self.log_dir / "worker_0.log", "w+", errors="replace") as printed,
            open(self.log_dir / "msrun.log", errors="replace") as reported,
        ):
            while not (over or failed):
                time.sleep(0.2)
                self._find_workers()
                over = self.msrun.poll() is not None
                report += reported.read()
                failed = FAILED.search(report)
                for line in printed:
                    if not MINDSPORE_LINE.match(line):
                        print(line, end="", flush=True)
        return failed

    def interrupt(self, number, frame):
        """Ask the workers to stop; asked for twice, do not wait for them."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = number
        self.msrun.stdin.close()

    def end(self):
        """Kill what is still there."""
        self._find_workers()
        for group in (self.msrun.pid, *self.workers):
            with suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        self.msrun.communicate()

    def _find_workers(self):
        with suppress(psutil.Error):  # one has just been born, or died
            for process in psutil.Process(self.msrun.pid).children():
                variables = process.environ()
                if variables.get("MS_ROLE") == "MS_WORKER":
                    self.workers[process.pid] = int(variables["RANK_ID"])

    def _explain(self, number, code) -> int:
        """Say on stderr which worker failed, and its last words; returns its code."""
        rank = self.workers.get(number, "?")  # dead before it was found
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was killed by signal {-code} ({signal.Signals(-code).name})"
        told = f"Worker {rank} {how}, so the whole job was ended: see "
        print(f"{told}{self.log_dir / f'worker_{rank}.log'}.", file=sys.stderr)
        words = worker_log(self.log_dir, rank).strip()
        if code > 0 and words:
            print(words.splitlines()[-1], file=sys.stderr)
        return code if code > 0 else 1
