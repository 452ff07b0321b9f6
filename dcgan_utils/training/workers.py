"""Inside a worker of a job: join it, agree with the others, leave it."""

import atexit
import os
import sys
import threading

import mindspore as ms
import numpy as np
from mindspore import communication, ops

from ..taught.distributed import Place
from .launcher import LAUNCHER, STOP, in_job

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
    if LAUNCHER in os.environ and os.environ["MS_ROLE"] == "MS_WORKER":
        threading.Thread(target=_stop_with_launcher, daemon=True).start()
    communication.init()
    ms.set_auto_parallel_context(parallel_mode=ms.ParallelMode.DATA_PARALLEL)
    place = Place(communication.get_rank(), communication.get_group_size())
    print(f"worker {place.rank} of {place.size}, process {os.getpid()}", flush=True)
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


def _stop_with_launcher():
    """Stop as after a Ctrl-C, once the launcher lets go of its end of stdin or dies."""
    os.read(0, 1)  # it never writes
    os.kill(os.getpid(), STOP)


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
