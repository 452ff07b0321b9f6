"""Files and folders that are whole or not there, and files that one process holds."""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from . import CourseError

PART = ".writing-"  # what a file's name begins with until the file is whole
DAY = 24 * 3600  # seconds


@contextmanager
def whole_file(path):
    """Yield a path beside ``path`` to write to; rename it when the block is done.

    The bytes reach the disk before the name does, so what stands under ``path`` is
    whole, after a power cut too. If the block fails, nothing is left of it.
    """
    path = Path(path)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")  # the ending is kept
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with suppress(OSError):  # renamed, or never made
            part.unlink()


@contextmanager
def whole_folder(path):
    """Yield a folder beside ``path`` to fill; rename it when the block is done.

    Where ``path`` is there already, its files stay, and the new ones join them or take
    the place of those of the same name. If the block fails, nothing is left of it.
    Raises CourseError where nothing can be written.
    """
    path = Path(path).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{PART}*"):  # by a process that was killed
            with suppress(OSError):  # another process was faster
                if time.time() - left.stat().st_mtime > DAY:
                    shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=PART, dir=path.parent) as own:
            made = Path(own) / path.name  # may be read by others, unlike ``own``
            made.mkdir()
            yield made
            _move_in(made, path)
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written ({error.strerror or error}): make room there, "
            "or set DCGAN_DATA_DIR to a folder of your own."
        ) from error


def _move_in(made, path):
    try:
        made.replace(path)
    except OSError:
        if not (made.is_dir() and path.is_dir()):
            raise
        for inside in sorted(made.iterdir(), key=Path.is_dir):  # files first
            _move_in(inside, path / inside.name)


def delete_partial_files(folder, of="*"):
    """Delete what a process left behind that was killed in the middle of writing.

    of: the name that the file would have had, or a pattern of names; default: all.
    """
    for part in Path(folder).glob(f"{PART}*-{of}"):
        with suppress(OSError):  # one that will not go does no harm
            part.unlink()


def lock_file(path, wait=""):
    """Open a file and hold it for this process; None where another process has it.

    The system lets go of it when the file is closed or the process ends, in whatever
    way. wait: what to print before waiting until the other one is done; without it,
    nobody waits. Raises OSError where it cannot be made.
    """
    file = open(path, "ab", buffering=0)  # noqa: SIM115 (held until closed)
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        if not wait:
            file.close()
            return None
        print(wait, flush=True)
        with suppress(OSError):
            _lock(file, wait=True)
    except OSError:
        pass  # a file system that knows no locks
    return file


def _lock(file, wait=False):
    if os.name == "nt":
        import msvcrt

        file.seek(1 << 20)  # not the first bytes: nobody else could read them
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
