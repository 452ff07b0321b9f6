"""history.jsonl: losses, speed and warnings as they come, for other programs to read.

Light: it imports no MindSpore. ``pandas.read_json(path, lines=True)`` reads it.
"""

import json
import time
from contextlib import suppress

from ..files import whole_file
from ..progress import LOG_SECONDS


class HistoryFile:
    """One line for each step, in order, none twice; lines wait until ``write``.

    A line holds step, epoch (from 1), loss_d, loss_g and, if it was measured,
    pictures_per_second; that of an epoch's last step has the warnings, too.
    """

    def __init__(self, path):
        self.path, self.waiting = path, []

    def start(self, history, steps_per_epoch):
        """Go to the end of a history [steps, 2]: later lines go, missing ones come."""
        kept, self.steps_per_epoch = {}, steps_per_epoch
        old = self.path.read_bytes() if self.path.exists() else b""
        for line in old.splitlines():
            with suppress(ValueError):  # half a line, after a power cut
                entry = json.loads(line)
                kept[entry["step"]] = entry
        self.waiting = []
        for step, losses in enumerate(history.tolist(), 1):
            self.add(step, losses)
            self.waiting[-1] = kept.get(step, self.waiting[-1])
        with whole_file(self.path) as part:
            part.write_text(self._take_lines(), encoding="utf-8")

    def add(self, step, losses, speed=None):
        """Note the losses of D and G in a step, and the pictures a second."""
        epoch = (step - 1) // self.steps_per_epoch + 1
        entry = {"step": step, "epoch": epoch, "loss_d": losses[0], "loss_g": losses[1]}
        if speed:
            entry["pictures_per_second"] = round(speed, 1)
        self.waiting.append(entry)

    def add_warnings(self, warnings):
        """Note what the detectors say at the end of an epoch, after its last step."""
        if self.waiting:
            self.waiting[-1]["warnings"] = warnings

    def is_due(self) -> bool:
        """Whether it is as long ago as the lines of a log are apart."""
        return time.monotonic() - self.written_at > LOG_SECONDS

    def write(self):
        """Append the lines that wait, whole ones."""
        lines = self._take_lines()
        if lines:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(lines)

    def _take_lines(self):
        entries, self.waiting, self.written_at = self.waiting, [], time.monotonic()
        return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in entries)
