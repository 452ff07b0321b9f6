"""Files that are whole or not there, and files that one process holds."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path

PART = ".writing-"  # what a file's name begins with until the file is whole


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


def delete_partial_files(folder):
    """Delete what a process left behind that was killed in the middle of writing."""
    for part in Path(folder).glob(f"{PART}*"):
        with suppress(OSError):  # one that will not go does no harm
            part.unlink()


def lock_file(path, wait=False):
    """Open a file and hold it for this process; None where another process has it.

    The system lets go of it when the file is closed or the process ends, in whatever
    way. wait: until the other one is done. Raises OSError where it cannot be made.
    """
    file = open(path, "ab", buffering=0)  # noqa: SIM115 (held until closed)
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 20)  # not the first bytes: nobody else could read them
            msvcrt.locking(
                file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1
            )
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, PermissionError):
        file.close()
        return None
    except OSError:
        pass  # a file system that knows no locks
    return file
