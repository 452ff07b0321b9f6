"""The plumbing under the DCGAN course.

Importing this package is light: it starts neither MindSpore nor matplotlib. Import
what a lesson needs from its room, for example
``from dcgan_utils.taught.networks import Generator``.
"""

__version__ = "0.1.0"


class CourseError(Exception):
    """Something a student can put right. Its one sentence says what to do next."""

    while_running = False  # what failed was running; else the input was bad

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: a notebook shows the sentence without the call stack.
        return [f"{type(self).__name__}: {self}"]
