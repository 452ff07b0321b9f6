"""Work on all cores, in processes that know nothing of what runs here."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import wait
from types import ModuleType


def on_all_cores(work: Callable, parts: Sequence) -> Iterator:
    """Yield ``work(part)`` for each part, in order, computed on all cores.

    work: a function of a module, or a ``partial`` of one. What a process leaves that
    ends too early is done here, and so is everything where none can be started.
    """
    helpers = {}  # each process, by the pipe that leads to it
    try:
        _start(helpers, work, min(os.cpu_count() or 1, 8, len(parts)))
        yield from _in_order(helpers, work, parts)
    finally:
        for helper in helpers.values():
            helper.terminate()  # amid its part: who presses Ctrl-C does not wait
        for helper in helpers.values():
            helper.join()


def _start(helpers, work, count):
    context = get_context("spawn")  # for copies of MindSpore's threads would hang
    with suppress(OSError), _unseen():
        for _ in range(count):
            pipe, theirs = context.Pipe()
            helper = context.Process(target=_help, args=(theirs, work), daemon=True)
            helper.start()
            theirs.close()  # so that the pipe ends when the process does
            helpers[pipe] = helper


def _in_order(helpers, work, parts):
    idle, busy, done, given = list(helpers), {}, {}, 0
    for number in range(len(parts)):
        while number not in done:
            while idle and given < len(parts):
                busy[idle[-1]] = given
                with suppress(OSError):  # it has ended, as the pipe will say
                    idle.pop().send(parts[given])
                given += 1
            if not busy:  # no process is left
                done[given], given = (None, work(parts[given])), given + 1
            for pipe in wait(busy) if busy else ():
                at = busy.pop(pipe)
                try:
                    done[at] = pipe.recv()
                    idle.append(pipe)
                except (EOFError, OSError):
                    done[at] = None, work(parts[at])
        error, result = done.pop(number)
        if error:
            raise error
        yield result


def _help(pipe, work):
    """Do one part after another, until the first process has ended."""
    # Ctrl-C reaches every process: the first one alone answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            part = pipe.recv()
            try:
                answer = None, work(part)
            except Exception as error:
                answer = error, None
            pipe.send(answer)


@contextmanager
def _unseen():
    """A process that starts would run the present script first, if it knew of it.

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
