"""The array of all pictures of a folder on the disk, and its index beside it.

The index, a JSON file, says which files were used, in the order of the array, and why
another was not. Whoever comes second finds both ready.
"""

import json
import os
import shutil
import tempfile
import warnings
import zlib
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from ..files import delete_partial_files, whole_file
from ..processes import on_all_cores
from ..progress import progress_bar
from ..settings import build_base, data_base
from .decode import NOT_READ, NotAPicture, read_picture

PART = 16  # pictures of one piece of work
A_SECOND = 10 * 10**6  # bytes: pictures that have fewer take less


def places(root: Path) -> list[Path]:
    """Where the array may lie, best first; never in the folder that is looked at."""
    own = f"dcgan-{os.getuid() if hasattr(os, 'getuid') else ''}"  # not another user's
    bases = [data_base(), build_base()]
    with suppress(OSError):  # where nothing temporary can be written, either
        bases.append(Path(tempfile.gettempdir()) / own)
    found = [base.absolute() / "decoded" for base in bases]
    return [p for p in found if root.resolve() not in p.resolve().parents]


def load(index: Path, digest=None) -> dict | None:
    """An index and its array, if both are whole and, where asked, of these files.

    ``pixels`` in it is the array [N, 3, S, S] uint8, or None where none was made.
    """
    try:
        seen = json.loads(index.read_text(encoding="utf-8"))
        if digest not in (None, seen["digest"]):
            return None
        seen["pixels"], side = None, seen["image_size"]
        if seen["array"]:
            seen["pixels"] = np.load(index.with_suffix(".npy"), mmap_mode="r")
            if seen["pixels"].shape != (len(seen["names"]), 3, side, side):
                return None
        return seen
    except (OSError, ValueError, LookupError, TypeError, EOFError):
        return None  # none yet, or a damaged one


def make(index, root, image_size, files, left_out, at_most, digest) -> dict:
    """Open every file, write the array and the index, and load them."""
    names, left_out = list(files), dict(left_out)
    wanted = at_most or len(names)
    if at_most:
        # The first ones of a shuffled list, so that more of them begin with the same.
        names = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    _forget_lost_folders(index.parent)
    # Nobody is writing these now, for this process holds the lock.
    delete_partial_files(index.parent, f"{index.stem}.*")
    need = wanted * 3 * image_size**2
    fits = need < shutil.disk_usage(index.parent).free / 2
    if not fits:
        print(
            f"The decoded pictures would take {need / 1e9:.1f} GB, more than half of "
            f"the free disk of {index.parent}: they are read from their files in every "
            "epoch instead, which is slower."
        )
    index.unlink(missing_ok=True)
    used, sums = [], []
    with whole_file(index.with_suffix(".npy")) as part, open(part, "wb") as file:
        # Written as a file and not through a map: a full disk is an OSError here,
        # and would end the process there.
        _write_header(file, wanted, image_size)
        few = sum(files[name][0] for name in names[:wanted]) < A_SECOND
        look = root, names, image_size, wanted, few
        for some, pixels, of_some, others in _read_all(*look):
            left = wanted - len(used)
            used += some[:left]
            sums += of_some[:left]
            left_out |= others
            if fits:
                file.write(pixels[:left].tobytes())
        file.seek(0)
        _write_header(file, len(used) if fits else 0, image_size)
    if any(why.startswith(NOT_READ) for why in left_out.values()):
        digest = None  # nothing that the next look would take over
    skipped = len(names) - len(used) - sum(n in left_out for n in names)
    seen = {"root": str(root), "image_size": image_size, "digest": digest}
    seen |= {"array": fits, "names": used, "left_out": left_out, "skipped": skipped}
    with whole_file(index) as part:
        part.write_text(json.dumps(seen | {"sums": sums}), encoding="utf-8")
    return load(index)


def _write_header(file, count, image_size):
    """The head of a .npy file; its length does not depend on the count."""
    shape = (count, 3, image_size, image_size)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _read_all(root, names, image_size, wanted, few):
    """What _read_part gives of piece after piece, until there are as many as wanted."""
    parts = [names[i : i + PART] for i in range(0, len(names), PART)]
    read = partial(_read_part, root=root, image_size=image_size)
    with progress_bar(wanted, "picture", "Looking at pictures", delay=int(few)) as bar:
        for found in map(read, parts) if few else on_all_cores(read, parts):
            yield found
            bar.update(min(len(found[0]), wanted - bar.n))
            if bar.n == wanted:
                return


def _read_part(names, root, image_size):
    """Of some files the names, pixels [n, 3, S, S] and sums of those that are used.

    Fourth comes a dict from each other file to the reason.
    """
    used, pixels, left_out = [], [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd but sound files
        for name in names:
            try:
                pixels.append(read_picture(root / name, image_size))
                used.append(name)
            except NotAPicture as error:
                left_out[name] = str(error)
    sums = [zlib.crc32(picture.tobytes()) for picture in pixels]
    shape = (len(pixels), 3, image_size, image_size)
    return used, np.array(pixels, np.uint8).reshape(shape), sums, left_out


def _forget_lost_folders(place: Path):
    """Delete the arrays of folders that are gone, such as a lesson's trial folders."""
    for index in place.glob("*.json"):
        with suppress(OSError, ValueError, LookupError):
            if not Path(json.loads(index.read_text("utf-8"))["root"]).exists():
                for path in (index, index.with_suffix(".npy")):
                    path.unlink(missing_ok=True)
