"""What a command prints never ends it: nobody may be reading any more."""

import contextlib
import os
import sys


class LastingStream:
    """A stream to print to that goes on, unheard, once its reader is gone.

    As in ``dcgan train | head -1``, or where one Ctrl-C stops ``| tee log``, too.
    """

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        """Write a text; returns its length."""
        try:
            return self.stream.write(text)
        except OSError:
            self._let_go()
            return len(text)

    def flush(self):
        """Hand on what waits."""
        try:
            self.stream.flush()
        except OSError:
            self._let_go()

    def _let_go(self):
        # Of the file itself: what waits in buffers, in C++ too, must find a place.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def lasting_output():
    """Print to a LastingStream in the place of stdout and of stderr."""
    out, err = LastingStream(sys.stdout), LastingStream(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            yield
        finally:
            out.flush()  # not at the end of Python, where it would be a failure
            err.flush()
