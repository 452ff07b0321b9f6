"""The signals that stop a training: after the step, and with everything saved."""

import signal
import threading

from .launcher import STOP

# MindSpore's compiled functions put a handler of their own in the place of SIGINT's,
# and that one ends the process with SIGTERM. SIGHUP comes when a terminal is closed.
ALONE = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)


class StopSignals:
    """A context in which a signal asks to stop, where it would end the process.

    ``asked`` says whether one has come. A second one raises KeyboardInterrupt, for who
    will not wait. in_job: as a worker, whom only the launcher asks. In another thread
    than the main one, in which Python catches no signals, nothing is changed.
    """

    def __init__(self, in_job=False):
        self.numbers = (STOP,) if in_job else ALONE
        self.asked, self._before = False, {}

    def __enter__(self):
        self.asked = False
        if threading.current_thread() is threading.main_thread():
            for number in self.numbers:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *error):
        while self._before:
            signal.signal(*self._before.popitem())

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
