"""Inside a worker of a job: join it, agree with the others, leave it."""

import atexit
import contextlib
import os
import select
import sys
import threading
import time
from pathlib import Path

import mindspore as ms
import numpy as np
import psutil
from mindspore import communication, ops

from ..taught.distributed import Place
from .job import LAUNCHER, STOP, how_it_ended, in_job

# Seconds that MindSpore waits. For a message between workers on a CPU long enough for
# worker 0 to save and draw (30 by default). For a sign of life, for an answer and for
# the scheduler to come back, so that a job on several hosts ends within a minute when
# a worker dies (30, 15 and 30 by default).
PATIENCE = {
    "MS_CPU_COMM_OP_TIMEOUT": "600",
    "MS_NODE_TIMEOUT": "20",
    "MS_RECEIVE_MSG_TIMEOUT": "5",
    "MS_HEARTBEAT_RETRY_TIMEOUT": "10",
}


ALONE = Place()


def join_job():
    """Meet the other workers that msrun has started; returns this process's Place.

    Outside a job it returns at once: alone. Call it after choose_device and before any
    other use of MindSpore. The job's scheduler process does not return from it; it
    ends there when the workers are done.
    """
    if not in_job():
        return ALONE
    for name, seconds in PATIENCE.items():
        os.environ.setdefault(name, seconds)
    communication.init()
    ms.set_auto_parallel_context(parallel_mode=ms.ParallelMode.DATA_PARALLEL)
    place = Place(communication.get_rank(), communication.get_group_size())
    print(f"worker {place.rank} of {place.size}, process {os.getpid()}", flush=True)
    if LAUNCHER in os.environ:
        watch, about = _stop_without, int(os.environ[LAUNCHER])
    else:  # plain msrun
        watch, about = _tell_of_death, gather([os.getpid()]).ravel().tolist()
    threading.Thread(target=watch, args=(about,), daemon=True).start()
    return place


def leave_job(code=0):
    """End this worker with an exit code. Outside a job it is sys.exit.

    After all that Python does at its end, the leaving of the job included, MindSpore's
    own clean-up of a worker crashes now and then (SIGSEGV in one of some thirty jobs on
    a busy machine), and a job in which all went well would count as failed. So the
    process ends before that.
    """
    if not in_job():
        sys.exit(code)
    atexit._run_exitfuncs()  # MindSpore leaves the job here
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _stop_without(launcher):
    """Stop as if asked to, once the process that started the job is no more."""
    while psutil.pid_exists(launcher):
        time.sleep(1)
    os.kill(os.getpid(), STOP)


def _tell_of_death(workers):
    """Say which of the workers, by rank, died here: msrun kills the others, untold."""
    ended = select.poll()
    processes = {}
    for rank, number in enumerate(workers):
        with contextlib.suppress(psutil.Error, OSError):  # that of another host
            if psutil.Process(number).ppid() == os.getppid():
                handle = os.pidfd_open(number)
                processes[handle] = rank, number
                ended.register(handle)
    while processes:
        for handle, _ in ended.poll():
            ended.unregister(handle)
            rank, number = processes.pop(handle)
            with contextlib.suppress(OSError):  # msrun was quicker
                status = Path(f"/proc/{number}/stat").read_text().split()[-1]
                code = os.waitstatus_to_exitcode(int(status))
                if code:
                    print(f"Worker {rank} {how_it_ended(code)}.", flush=True)


def gather(numbers) -> np.ndarray:
    """What each worker gives, whole numbers, as rows: [workers, len(numbers)] int64."""
    return ops.AllGather()(ms.Tensor([numbers], ms.int32)).asnumpy().astype(int)


def mean_over_workers(numbers, place) -> list[float]:
    """The mean of each number over all workers: the same list on every one of them.

    It waits for the slowest worker, and one that is not finite makes the mean so.
    """
    if place.size == 1:
        return [float(number) for number in numbers]
    total = ops.AllReduce()(ms.Tensor(np.asarray(numbers, np.float32)))
    return (total.asnumpy() / np.float32(place.size)).tolist()


def take_from_first(value):
    """A tensor as worker 0 has it, number for number; the others give its shape."""
    return ops.Broadcast(0)((ms.Tensor(value),))[0]
