"""Work on all cores, in processes that know nothing of what runs here."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from types import ModuleType


def on_all_cores(work: Callable, parts: Sequence) -> Iterator:
    """Yield ``work(part)`` for each part, in order, computed on all cores.

    work: a function of a module, or a ``partial`` of one. Where no process can be
    started, this one does it all.
    """
    cores, done = min(os.cpu_count() or 1, 8), 0
    try:
        # Fresh processes, for copies of MindSpore's threads would hang.
        pool = ProcessPoolExecutor(cores, get_context("spawn"), _ignore_interrupts)
    except (OSError, ImportError):  # a box without semaphores
        yield from map(work, parts)
        return
    try:
        with _no_main():  # this starts them
            results = pool.map(work, parts)
        for result in results:
            yield result
            done += 1
    except (BrokenProcessPool, OSError):
        for part in parts[done:]:
            yield work(part)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _no_main():
    """A process that starts would first run the present script, if it knew of it.

    And a Ctrl-C would end it with a traceback, while it cannot yet say otherwise.
    """
    main, before = sys.modules["__main__"], None
    if hasattr(signal, "pthread_sigmask"):  # Windows has none
        resource_tracker.ensure_running()  # its start would let signals through
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupts():
    """Ctrl-C reaches every process: the first one alone answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
