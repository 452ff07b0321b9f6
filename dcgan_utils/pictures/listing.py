"""What lies in a folder of pictures: which files may be some, which are passed over."""

import hashlib
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from .. import CourseError
from .decode import picture_endings

OWN_FILES = {"labels.csv", "drawn-by.txt", "checked.json"}  # of the sample faces
TESTING = {"val", "valid", "validation", "test", "testing"}
INDEX_VERSION = 1  # raise it with every change of what a picture becomes


def folder_to_read(root: Path) -> Path:
    """Root, or ``train`` in it where that holds folders or lies beside a test set."""
    train = root / "train"
    if not os.path.isdir(train):
        return root
    is_set = _folders(train) or _folders(root) <= {"train", *TESTING}
    return train if is_set else root


def _folders(path) -> set[str]:
    """The names of the folders in a folder; none where it may not be read."""
    with suppress(OSError), os.scandir(path) as entries:
        return {e.name for e in entries if e.name[0] != "." and e.is_dir()}
    return set()


def list_files(root: Path) -> tuple[dict[str, tuple], dict[str, str]]:
    """All files below root with their size and time, and what cannot be read, and why.

    Hidden names are passed over. Pictures that lie beside folders of more pictures are
    strays: they are listed as such. Raises CourseError where root cannot be read.
    """
    files, left_out, seen = {}, {}, set()

    def visit(folder, prefix):
        try:
            info = os.stat(folder)
            if (info.st_dev, info.st_ino) in seen:  # a link that leads in a circle
                return
            seen.add((info.st_dev, info.st_ino))
            with os.scandir(folder) as entries:
                entries = [e for e in entries if not e.name.startswith(".")]
        except OSError as error:
            if not prefix:
                raise CourseError(_why_unreadable(root, error)) from None
            left_out[prefix.rstrip("/")] = f"a folder: {error.strerror}"
            return
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir():
                visit(entry.path, name + "/")
            elif name not in OWN_FILES:
                try:
                    info = entry.stat()
                    files[name] = info.st_size, info.st_mtime_ns
                except OSError:
                    left_out[name] = "a link that leads nowhere"

    visit(root, "")
    files = dict(sorted(files.items()))
    loose = [name for name in files if "/" not in name and _promises_picture(name)]
    if loose and sum("/" in n for n in files if _promises_picture(n)) >= len(loose):
        for name in loose:
            left_out[name] = "beside the class folders"
            del files[name]
    return files, left_out


def _why_unreadable(root, error) -> str:
    what = {
        FileNotFoundError: "is not there",
        NotADirectoryError: "is a file, not a folder",
    }.get(type(error), f"cannot be read ({error.strerror})")
    return f"The folder {printable(root)} {what}: name a folder of pictures."


def _promises_picture(name) -> bool:
    return os.path.splitext(name)[1].lower() in picture_endings()


def digest(files, left_out) -> str:
    """A sum over names, sizes and times: it changes when a file does."""
    seen = repr((INDEX_VERSION, list(files.items()), sorted(left_out)))
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()


def why_empty(root, left_out) -> str:
    """The sentence for a folder without a picture that can be used."""
    kinds = Counter(left_out.values())
    told = ", ".join(f"{count:,} {reason}" for reason, count in kinds.most_common(4))
    return (
        f"There are no pictures in {printable(root)}"
        + (f" (only {told})" if told else "")
        + ": put some there, as "
        + f"{printable(Path(root) / 'flowers' / '1.jpg')}, or name another folder."
    )


def printable(name) -> str:
    """A file's name as it can be printed: bytes that are no text are escaped."""
    return str(name).encode("utf-8", "backslashreplace").decode()
