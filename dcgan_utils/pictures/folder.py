"""A folder of pictures, looked at once: ``Pictures``.

One pass with Pillow opens each file, judges it, and makes of it a square of the size
wanted. All squares lie in one array on the disk, beside an index that says which file
was used, and why another was not. Nobody opens the folder again: lessons, training, its
workers and the evaluation ask the array. It lies with the course's own data, never in
the folder itself, and is made anew when a file has changed.
"""

import hashlib
import json
import os
import shutil
import tempfile
import warnings
import zlib
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from .. import CourseError
from ..files import lock_file, whole_file
from ..processes import on_all_cores
from ..progress import progress_bar
from ..settings import build_base, course_root, data_base
from .decode import NotAPicture, picture_endings, read_picture

OWN_FILES = {"labels.csv", "drawn-by.txt", "checked.json"}  # of the sample faces
TESTING = {"val", "valid", "validation", "test", "testing"}
PART = 64  # pictures of one piece of work
A_SECOND = 1000  # fewer pictures take less
INDEX_VERSION = 1  # raise it with every change of what a picture becomes


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
    ``train`` beside ``val`` or ``test``, ``train`` is read. at_most: no more than so
    many pictures are decoded, chosen evenly from all; 0 means all. Raises CourseError
    where the folder is not there, cannot be read, or holds no picture.
    """
    root = _folder_to_read(Path(root).expanduser().absolute())
    files, left_out = _list_files(root)
    if not files:
        raise CourseError(_why_empty(root, left_out))
    at_most = at_most if at_most < len(files) else 0
    digest, key = _digest(files, left_out), f"{root} {image_size} {at_most}"
    name = hashlib.sha256(os.fsencode(key)).hexdigest()[:16] + ".json"
    found = next(filter(None, (_load(p / name, digest) for p in _places(root))), None)
    for place in _places(root) if found is None else ():
        with suppress(OSError):  # no right to write there, or no room
            place.mkdir(parents=True, exist_ok=True)
            # Others who look at the same folder wait here, and find the array ready.
            with closing(lock_file(place / f"{name}.lock", wait=True)):
                look = root, image_size, files, left_out, at_most, digest
                found = _load(place / name, digest) or _look(place / name, *look)
            break
    if found is None:
        raise CourseError(
            "The decoded pictures can be written nowhere: make room on the disk, or "
            "set DCGAN_DATA_DIR to a folder of your own."
        )
    if not len(found):
        raise CourseError(_why_empty(root, found.left_out))
    return found


def load_pictures(index) -> Pictures:
    """The pictures of an index file, without a look at their folder."""
    found = _load(Path(index))
    if found is None:
        raise CourseError(f"{index} is gone or damaged: start again.")
    return found


def _short(path: Path) -> Path:
    """The path as seen from the course's folder, for a line that is stored."""
    try:
        return path.absolute().relative_to(course_root())
    except ValueError:
        return path


def printable(name) -> str:
    """A file's name as it can be printed: bytes that are no text are escaped."""
    return str(name).encode("utf-8", "backslashreplace").decode()


# --- what lies there --------------------------------------------------------------


def _folder_to_read(root: Path) -> Path:
    """Root, or ``train`` in it where that holds folders or lies beside a test set."""
    try:
        with os.scandir(root) as entries:
            inside = {e.name for e in entries if e.name[0] != "." and e.is_dir()}
    except OSError as error:
        what = {
            FileNotFoundError: "is not there",
            NotADirectoryError: "is a file, not a folder",
        }.get(type(error), f"cannot be read ({error.strerror})")
        raise CourseError(
            f"The folder {printable(root)} {what}: name a folder of pictures."
        ) from None
    train = root / "train"
    if "train" not in inside:
        return root
    with suppress(OSError), os.scandir(train) as entries:
        if any(e.is_dir() and e.name[0] != "." for e in entries):
            return train
    return train if inside <= {"train", *TESTING} else root


def _list_files(root: Path) -> tuple[dict[str, tuple], dict[str, str]]:
    """All files below root with their size and time, and what cannot be read, and why.

    Hidden names are passed over. Pictures that lie beside folders of more pictures are
    strays: they are listed as such.
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


def _promises_picture(name) -> bool:
    return os.path.splitext(name)[1].lower() in picture_endings()


def _digest(files, left_out) -> str:
    """A sum over names, sizes and times: it changes when a file does."""
    seen = repr((INDEX_VERSION, list(files.items()), sorted(left_out)))
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()


def _why_empty(root, left_out) -> str:
    kinds = Counter(left_out.values())
    told = ", ".join(f"{count:,} {reason}" for reason, count in kinds.most_common(4))
    return (
        f"There are no pictures in {printable(root)}"
        + (f" (only {told})" if told else "")
        + ": put some there, as "
        + f"{printable(Path(root) / 'flowers' / '1.jpg')}, or name another folder."
    )


# --- the array and its index ------------------------------------------------------


def _places(root: Path) -> list[Path]:
    """Where the array may lie, best first; never in the folder that is looked at."""
    own = f"dcgan-{os.getuid() if hasattr(os, 'getuid') else ''}"  # not another user's
    bases = data_base(), build_base(), Path(tempfile.gettempdir()) / own
    places = [base.absolute() / "decoded" for base in bases]
    return [place for place in places if root not in place.parents]


def _load(index: Path, digest=None) -> Pictures | None:
    """The pictures of an index, if it is whole, and, where asked, of these files."""
    try:
        seen = json.loads(index.read_text(encoding="utf-8"))
        if digest not in (None, seen["digest"]):
            return None
        root, size, names = Path(seen["root"]), seen["image_size"], seen["names"]
        if seen["array"]:
            pixels = np.load(index.with_suffix(".npy"), mmap_mode="r")
            if pixels.shape != (len(names), 3, size, size):
                return None
        else:
            pixels = _Files(root, size, names)
        rest = seen["left_out"], seen["skipped"], seen["sums"]
        return Pictures(root, size, names, *rest, pixels, index)
    except (OSError, ValueError, LookupError, TypeError, EOFError):
        return None  # none yet, or a damaged one


def _look(index, root, image_size, files, left_out, at_most, digest) -> Pictures:
    """Open every file, write the array and the index; Pictures of them."""
    names, left_out = list(files), dict(left_out)
    wanted = at_most or len(names)
    if at_most:
        # The first ones of a shuffled list, so that more of them begin with the same.
        names = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    need = wanted * 3 * image_size**2
    fits = need < shutil.disk_usage(index.parent).free / 2
    if not fits:
        print(
            f"The decoded pictures would take {need / 1e9:.1f} GB, more than half of "
            f"the free disk of {index.parent}: they are read from their files in every "
            "epoch instead, which is slower."
        )
    _forget_lost_folders(index.parent)
    index.unlink(missing_ok=True)
    used, sums = [], []
    with whole_file(index.with_suffix(".npy")) as part, open(part, "wb") as file:
        # Written as a file and not through a map: a full disk is an OSError here,
        # and would end the process there.
        _write_header(file, wanted, image_size)
        for name, found in _read_all(root, names, image_size, wanted):
            if isinstance(found, str):
                left_out[name] = found
                continue
            used.append(name)
            sums.append(zlib.crc32(found.tobytes()))
            if fits:
                file.write(found.tobytes())
        file.seek(0)
        _write_header(file, len(used) if fits else 0, image_size)
    skipped = len(names) - len(used) - sum(n in left_out for n in names)
    seen = {"root": str(root), "image_size": image_size, "digest": digest}
    seen |= {"array": fits, "names": used, "left_out": left_out, "skipped": skipped}
    with whole_file(index) as part:
        part.write_text(json.dumps(seen | {"sums": sums}), encoding="utf-8")
    return _load(index)


def _write_header(file, count, image_size):
    """The head of a .npy file; its length does not depend on the count."""
    shape = (count, 3, image_size, image_size)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _read_all(root, names, image_size, wanted):
    """Name by name a picture's pixels, or what is wrong, until all wanted are there."""
    few = wanted <= A_SECOND
    parts = [names[i : i + PART] for i in range(0, len(names), PART)]
    with progress_bar(wanted, "picture", "Looking at pictures", delay=int(few)) as bar:
        if few:
            found = (_read_part(part, root, image_size) for part in parts)
        else:
            found = on_all_cores(_read_part, parts, root, image_size)
        for name, seen in zip(chain.from_iterable(parts), chain.from_iterable(found)):
            yield name, seen
            used = not isinstance(seen, str)
            bar.update(used)
            wanted -= used
            if not wanted:
                return


def _read_part(names, root, image_size) -> list:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd but sound files
        return [_read(root / name, image_size) for name in names]


def _read(path, image_size):
    try:
        return read_picture(path, image_size)
    except NotAPicture as error:
        return str(error)


def _forget_lost_folders(place: Path):
    """Delete the arrays of folders that are gone, such as a lesson's trial folders."""
    for index in place.glob("*.json"):
        with suppress(OSError, ValueError, LookupError):
            if not Path(json.loads(index.read_text("utf-8"))["root"]).exists():
                for path in (index, index.with_suffix(".npy")):
                    path.unlink(missing_ok=True)
