"""Progress: a bar on a terminal and in a notebook, plain lines in a log."""

import sys
import time

from tqdm import tqdm

LOG_SECONDS = 60  # from one line of a log to the next


LOG = "{desc}{n_fmt}/{total_fmt} {unit}s{postfix}, {rate_fmt}, {remaining} left"


BAR = "{percentage:3.0f}%|{bar}{r_bar}"


class LogFile:
    """Makes lines with date and time of what tqdm writes to draw a bar."""

    def write(self, text):
        text = text.strip()
        if text:
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}", flush=True)

    def flush(self):
        """Nothing waits: print has written it."""


def in_log() -> bool:
    """Whether what is printed goes to a file or a pipe, which knows no bars."""
    notebook = type(sys.stdout).__module__.startswith("ipykernel")
    return not notebook and not sys.stdout.isatty()


def progress_bar(total, unit, title="", initial=0, delay=0) -> tqdm:
    """A bar for so many units of work; in a log, a line every minute.

    initial: how many are done already. delay: seconds before the first sign; there is
    none of what takes less. A description that is set later is seen in a log only.
    """
    if in_log():
        look = {"file": LogFile(), "mininterval": LOG_SECONDS, "bar_format": LOG}
    else:
        look = {"file": sys.stdout, "mininterval": 0.5, "ncols": 78}
        look["bar_format"] = f"{title}: {BAR}" if title else BAR
    return tqdm(
        desc=f"{title}: " if title else "",
        total=total,
        unit=unit,
        initial=initial,
        delay=delay,
        miniters=1,  # ask the clock alone
        **look,
    )
