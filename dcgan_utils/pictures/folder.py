"""A folder of pictures, looked at once: ``Pictures``.

One pass with Pillow opens each file, judges it, and makes of it a square of the size
wanted. All squares lie in one array on the disk, beside an index that says which file
was used, and why another was not. Nobody opens the folder again: lessons, training, its
workers and the evaluation ask the array. It lies with the course's own data, never in
the folder itself, and is made anew when a file has changed.
"""

import hashlib
import os
import zlib
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import CourseError
from ..files import lock_file
from ..settings import course_root
from . import array
from .decode import NotAPicture, picture_endings, read_picture

OWN_FILES = {"labels.csv", "drawn-by.txt", "checked.json"}  # of the sample faces
TESTING = {"val", "valid", "validation", "test", "testing"}
INDEX_VERSION = 1  # raise it with every change of what a picture becomes
WAITING = "Another process is looking at these pictures: this one waits for it."


@dataclass(frozen=True)
class Pictures:
    """The usable pictures of a folder, as numbers.

    ``pictures[numbers]`` gives uint8 [n, 3, S, S] in 0…255, ``len(pictures)`` how many
    there are. names: of the files used, from ``root``, in the order of the numbers.
    left_out: a dict from each file that is not used to the reason.
    """

    root: Path
    image_size: int
    names: list[str]
    left_out: dict[str, str]
    skipped: int  # more pictures that nobody wanted
    sums: list[int]  # one for each picture, of its pixels
    pixels: object  # what answers [numbers]: an array on the disk, or _Files
    index: Path | None = None  # the file that a worker loads instead of looking

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, numbers) -> np.ndarray:
        return self.pixels[numbers]

    def fingerprint(self, first=None) -> str:
        """Eight digits that follow from all pixels, or from those of the first ones."""
        return f"{zlib.crc32(np.array(self.sums[:first], np.uint32).tobytes()):08x}"

    def only(self, numbers, reason) -> "Pictures":
        """The pictures of these numbers; the others are left out for this reason."""
        names = [self.names[i] for i in numbers]
        others = sorted(set(self.names) - set(names))
        return replace(
            self,
            names=names,
            left_out=self.left_out | dict.fromkeys(others, reason),
            sums=[self.sums[i] for i in numbers],
            pixels=_Chosen(self.pixels, np.asarray(numbers, int)),
            index=None,
        )

    def summary(self) -> str:
        """One line: how many pictures are used, from where, and what is not used."""
        count = f"{len(self):,}"
        if self.skipped:
            count += f" of {len(self) + self.skipped:,}"
        line = f"{count} pictures in {printable(_short(self.root))}"
        if not self.left_out:
            return line
        kinds = Counter(self.left_out.values())
        told = [f"{count:,} {reason}" for reason, count in kinds.most_common(4)]
        some = ", ".join(map(printable, sorted(self.left_out)[:3]))
        more = ", …" if len(self.left_out) > 3 else ""
        return f"{line}; not used: {', '.join(told)} ({some}{more})"


@dataclass(frozen=True)
class _Chosen:
    pixels: object
    numbers: np.ndarray

    def __getitem__(self, numbers):
        return self.pixels[self.numbers[numbers]]


@dataclass(frozen=True)
class _Files:
    """Pixels read from the files whenever they are wanted, where no array fits."""

    root: Path
    image_size: int
    names: list[str]

    def __getitem__(self, numbers):
        numbers = np.arange(len(self.names))[numbers]
        found = [self._read(self.names[i]) for i in np.ravel(numbers)]
        return np.stack(found).reshape(*numbers.shape, *found[0].shape)

    def _read(self, name):
        try:
            return read_picture(self.root / name, self.image_size)
        except (NotAPicture, OSError) as error:
            raise CourseError(
                f"{printable(self.root / name)} has changed since it was looked at "
                f"({error}): start again, and the folder is looked at anew."
            ) from None


def look_at_folder(root, image_size, at_most=0) -> Pictures:
    """Look at the pictures of a folder, or take over what was seen the last time.

    root: pictures lie in it or in folders inside, at any depth; where it holds
    ``train`` with class folders or beside ``val``, ``train`` is read. at_most: no more
    pictures than so many are decoded, drawn by lot from all; 0 means all. Raises
    CourseError where the folder is not there, cannot be read, or holds no picture.
    """
    root = _folder_to_read(Path(root).expanduser().absolute())
    files, left_out = _list_files(root)
    if not files:
        raise CourseError(_why_empty(root, left_out))
    at_most = at_most if at_most < len(files) else 0
    key = os.fsencode(f"{root} {image_size} {at_most}")
    name, now = hashlib.sha256(key).hexdigest()[:16], _digest(files, left_out)
    indices = [place / f"{name}.json" for place in array.places(root)]
    found = next((i for i in indices if array.load(i, now)), None)
    for index in indices if found is None else ():
        with suppress(OSError):  # no right to write there, or no room
            index.parent.mkdir(parents=True, exist_ok=True)
            # Others who look at the same folder wait here, and find the array ready.
            with closing(lock_file(index.with_suffix(".lock"), WAITING)):
                if not array.load(index, now):
                    look = root, image_size, files, left_out, at_most, now
                    array.make(index, *look)
            found = index
            break
    if found is None:
        raise CourseError(
            "The decoded pictures can be written nowhere: make room on the disk, or "
            "set DCGAN_DATA_DIR to a folder of your own."
        )
    pictures = load_pictures(found)
    if not len(pictures):
        raise CourseError(_why_empty(root, pictures.left_out))
    return pictures


def load_pictures(index) -> Pictures:
    """The pictures of an index file, without a look at their folder."""
    seen = array.load(Path(index))
    if seen is None:
        raise CourseError(f"{index} is gone or damaged: start again.")
    root, size, names = Path(seen["root"]), seen["image_size"], seen["names"]
    pixels = seen["pixels"]
    pixels = _Files(root, size, names) if pixels is None else pixels
    rest = seen["left_out"], seen["skipped"], seen["sums"]
    return Pictures(root, size, names, *rest, pixels, Path(index))


def _short(path: Path) -> Path:
    """The path as seen from the course's folder, for a line that is stored."""
    try:
        return path.absolute().relative_to(course_root())
    except ValueError:
        return path


# --- what lies there --------------------------------------------------------------


def _folder_to_read(root: Path) -> Path:
    """Root, or ``train`` in it where that holds folders or lies beside a test set.

    There may be more beside it: ``annotations``, or loose pictures.
    """
    train = root / "train"
    if not os.path.isdir(train):
        return root
    return train if _folders(train) or _folders(root) & TESTING else root


def _folders(path) -> set[str]:
    """The names of the folders in a folder; none where it may not be read."""
    with suppress(OSError), os.scandir(path) as entries:
        return {e.name for e in entries if e.name[0] != "." and _is_folder(e)}
    return set()


def _is_folder(entry) -> bool:
    with suppress(OSError):  # a link to itself, or to where nobody may look
        return entry.is_dir()
    return False


def _list_files(root: Path) -> tuple[dict[str, tuple], dict[str, str]]:
    """All files below root with size and times, and what cannot be read, and why.

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
            if _is_folder(entry):
                visit(entry.path, name + "/")
            elif name not in OWN_FILES:
                try:
                    info = entry.stat()
                    # The last one changes with the right to read the file, too.
                    files[name] = info.st_size, info.st_mtime_ns, info.st_ctime_ns
                except PermissionError:
                    left_out[name] = "not allowed to be read"
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


def _digest(files, left_out) -> str:
    """A sum over names, sizes and times: it changes when a file does."""
    seen = repr((INDEX_VERSION, list(files.items()), sorted(left_out)))
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()


def _why_empty(root, left_out) -> str:
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
