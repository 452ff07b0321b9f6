"""Find damaged pictures before MindSpore sees them.

A JPEG cut in its header kills the whole process in MindSpore's decoder, so every
picture is decoded with Pillow first. Pictures lie in class folders below a root, as
``ImageFolderDataset`` wants them: ``ROOT/faces/N.jpg``.
"""

import hashlib
import io
import json
import os
import re
import shutil
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from .. import CourseError
from ..progress import progress_bar

CLASS = "faces"  # the course's one class folder


# The course's own files in a root:
MEMORY = "checked.json"


LABELS = "labels.csv"


DRAWN_BY = "drawn-by.txt"


PICTURES = (".jpg", ".jpeg", ".png")  # what the data pipeline reads


READ_AS_NAMED = (*PICTURES, *map(str.upper, PICTURES))  # it does not read a .Jpg


OTHER_PICTURES = (".gif", ".webp", ".bmp", ".tif", ".tiff")  # rewritten as JPEG


# The only decoders that a file may reach: Pillow would start Ghostscript for an EPS.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000")


PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by IHDR's type of colour


# Where the seven passes of an interlaced PNG start, and how far apart their pixels are.
PNG_PASSES = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)
PNG_PASSES += (1, 0, 2, 2), (0, 1, 1, 2)


MAX_PIXELS = 50_000_000  # a picture of 150 MB once decoded


MAX_SHAPE = 20  # long side to short side: a strip of 1 × 65,000 took 800 MB to resize


MAX_BYTES = 200_000_000


@dataclass(frozen=True)
class FaceReport:
    """What ``check_faces`` found. Files are named from ``root``: ``faces/12.jpg``."""

    root: Path
    count: int  # good pictures
    damaged: tuple[str, ...]  # set aside in the folder <root>-damaged
    ignored: tuple[str, ...]  # no pictures, or where MindSpore does not look
    converted: tuple[str, ...] = ()  # rewritten as RGB, the original set aside


def check_faces(root: Path) -> FaceReport:
    """Weed out the pictures that MindSpore cannot read, and say what was found.

    Damaged ones are moved to the folder ``<root>-damaged`` beside ``root``, never
    deleted; those that MindSpore does not read (GIF, WEBP, …) are rewritten as RGB.
    The result is remembered in ``root/checked.json`` until a file changes. Raises
    CourseError for a folder that is missing, empty, without class folders, or without
    one good picture.
    """
    root = Path(root)
    if not root.is_dir():
        raise CourseError(
            f"There is no folder {root}: `get_faces` fills it, or set DCGAN_DATA_DIR "
            "to the folder above it."
        )
    candidates, ignored = _listing(root)
    if not candidates:
        raise CourseError(_why_empty(root, ignored))
    digest = _digest(candidates)
    report = _remembered(root, digest)
    if report is not None:
        return report

    names = list(candidates)
    pairs = list(zip(names, judge_pictures(root, names), strict=True))
    damaged = [name for name, verdict in pairs if verdict == "damaged"]
    converted = [name for name, verdict in pairs if verdict == "convert"]
    _put_right(root, damaged, converted)
    if len(damaged) == len(names):
        raise CourseError(
            f"None of the {len(names):,} pictures in {root} can be read; they are now "
            f"in {aside_of(root)}: get the pictures again."
        )
    if damaged or converted:
        digest = _digest(_listing(root)[0])
    good = len(names) - len(damaged)
    report = FaceReport(root, good, tuple(damaged), tuple(ignored), tuple(converted))
    _remember(report, digest)
    return report


def _listing(root: Path) -> tuple[dict[str, os.stat_result | None], list[str]]:
    """The candidates below ``root`` with their file data, and all else by name."""
    candidates: dict[str, os.stat_result | None] = {}
    ignored = []
    for top in sorted(os.scandir(root), key=lambda entry: entry.name):
        if not os.path.isdir(top.path):
            if top.name not in (MEMORY, LABELS, DRAWN_BY):
                ignored.append(top.name)
            continue
        for entry in sorted(os.scandir(top.path), key=lambda entry: entry.name):
            name = f"{top.name}/{entry.name}"
            if not _named_as_picture(name):
                ignored.append(name)
                continue
            try:
                candidates[name] = entry.stat()
            except OSError:  # a link that leads nowhere, or in a circle
                candidates[name] = None
    return candidates, ignored


def _named_as_picture(name: str) -> bool:
    return name.lower().endswith(PICTURES + OTHER_PICTURES)


def _why_empty(root: Path, ignored: Sequence[str]) -> str:
    """The sentence that fits a folder without a picture in a class folder."""
    loose = [name for name in ignored if _named_as_picture(name)]
    if loose:
        return (
            f"{root} holds pictures ({loose[0]} …) but no class folder, and MindSpore "
            f"would find none of them: put them into a folder inside, such as "
            f"{root / CLASS}."
        )
    return (
        f"There are no pictures in {root}: it should hold a folder of .jpg or .png "
        f"pictures, such as {root / CLASS / '0.jpg'}."
    )


def judge_pictures(root: Path, names: Sequence[str]) -> list[str]:
    """A word on each: ``good``, ``damaged``, or ``convert`` (only Pillow reads it)."""
    parts = [names[i : i + 100] for i in range(0, len(names), 100)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd but sound files
        pool = ThreadPoolExecutor(min(os.cpu_count() or 1, 8))
        return in_parts(pool, _judge_part, parts, "Checking pictures", root)


def _judge_part(names: Iterable[str], root: Path) -> list[str]:
    return [_judge(root / name) for name in names]


def _judge(path: Path) -> str:
    """``good``, ``damaged``, or ``convert`` for what only Pillow can read."""
    try:
        # Before reading: a pipe, whose size is 0, would keep us waiting for ever.
        if not 0 < path.stat().st_size <= MAX_BYTES:
            return "damaged"
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            short, long = sorted(picture.size)
            if short * long > MAX_PIXELS or long > MAX_SHAPE * short:
                return "damaged"
            if picture.format == "PNG":
                # Pillow forgives a wrong sum or a missing end; MindSpore does not.
                if PNG_END not in data:
                    return "damaged"
                picture.verify()
                if not _png_is_strict(data):
                    return "damaged"
        # Anew, since verify() leaves a picture that cannot be read on.
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            picture.load()
            film = picture.format == "PNG" and b"acTL" in data  # one still is enough
            readable = picture.format in ("JPEG", "MPO", "PNG") and not film
            if readable and path.suffix in READ_AS_NAMED:
                return "good"
            # 16-bit or float greys: Pillow would turn them white.
            return "damaged" if picture.mode[0] in "IF" else "convert"
    except Exception:  # Pillow's readers raise many kinds on nonsense
        return "damaged"


def _png_is_strict(data: bytes) -> bool:
    """Whether a PNG that Pillow reads has all the parts and rows that the format wants.

    Pillow passes over parts that it does not know, fills missing rows up, and leaves
    off before what is wrong behind them; MindSpore's reader refuses such a picture.
    See the PNG specification (W3C), sections 5, 8 and 10.
    """
    width, height, bits, colour, *ways = struct.unpack(">IIBBBBB", data[16:29])
    packing, filtering, interlaced = ways
    if data[8:16] != b"\0\0\0\x0dIHDR":
        return False
    packed, kinds, place = [], b"", 8
    while not kinds.endswith(b"IEND"):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind == b"IDAT":
            packed.append(data[place + 8 : place + 8 + size])
        if not kind.isalpha() or (kind == b"PLTE" and size not in range(3, 769, 3)):
            return False
        if kind[:1].isupper():  # who does not know it cannot read the picture
            kinds += kind
        place += 12 + size
    palette = b"(PLTE)" if colour == 3 else b"(PLTE)?"
    if not re.fullmatch(b"IHDR" + palette + b"(IDAT)+IEND", kinds):
        return False
    if packing or filtering or interlaced > 1:  # ways that nobody has defined yet
        return False
    total = 0  # bytes: for each row one that names its filter, then the pixels
    for x, y, dx, dy in PNG_PASSES if interlaced else [(0, 0, 1, 1)]:
        columns, rows = -((x - width) // dx), -((y - height) // dy)
        if columns > 0:
            total += (1 + (columns * bits * PNG_CHANNELS[colour] + 7) // 8) * rows
    unpacking = zlib.decompressobj()
    return len(unpacking.decompress(b"".join(packed), total + 1)) == total and (
        unpacking.eof
    )


def _put_right(root: Path, damaged: Sequence[str], converted: Sequence[str]) -> None:
    """Set the damaged pictures aside and write those to be converted anew."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above, in judge_pictures
            for name in damaged:
                _set_aside(root, name)
            for name in converted:
                _convert(root, name)
    except OSError as error:
        raise CourseError(
            f"{[*damaged, *converted][0]} and other pictures in {root} cannot be read "
            f"and cannot be moved ({error.strerror}): move them away yourself."
        ) from error


def _convert(root: Path, name: str) -> None:
    """Set a picture aside and write it anew as RGB, in the format of its ending."""
    path = root / name
    with Image.open(path, formats=FORMATS) as picture:
        rgb = picture.convert("RGB")
    _set_aside(root, name)
    if path.suffix not in READ_AS_NAMED:
        path = path.with_name(path.name + ".jpg")
    written = path.with_name(path.name + ".new")
    rgb.save(written, "PNG" if path.suffix.lower() == ".png" else "JPEG", quality=95)
    written.replace(path)


def _set_aside(root: Path, name: str) -> None:
    """Move a file out of ``root``, where ImageFolderDataset would see it."""
    target = aside_of(root) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while os.path.lexists(target):
        target = target.with_name(f"{Path(name).stem}-{number}{Path(name).suffix}")
        number += 1
    with suppress(FileNotFoundError):  # another kernel was first
        shutil.move(root / name, target)


def aside_of(root: Path) -> Path:
    """The folder that takes the damaged pictures of ``root``."""
    root = root.absolute()
    return root.with_name(f"{root.name}-damaged")


def _digest(candidates: dict[str, os.stat_result | None]) -> str:
    """A sum over names, sizes and times: it changes when a file does."""
    total = hashlib.sha256()
    for name, info in candidates.items():
        seen = (info.st_size, info.st_mtime_ns) if info else None
        total.update(f"{name}\0{seen}\n".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def _remembered(root: Path, digest: str) -> FaceReport | None:
    """The report of an earlier check, if no file has changed since."""
    try:
        memory = json.loads((root / MEMORY).read_text(encoding="utf-8"))
        if memory["digest"] != digest:
            return None
        lists = [tuple(memory[key]) for key in ("damaged", "ignored", "converted")]
        return FaceReport(root, int(memory["count"]), *lists)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(report: FaceReport, digest: str) -> None:
    memory = {**asdict(report), "root": None, "digest": digest}
    with suppress(OSError):  # a folder that is read only is checked every time
        (report.root / MEMORY).write_text(json.dumps(memory), encoding="utf-8")


def in_parts(
    pool: Executor, work: Callable, parts: Sequence[Sequence], title: str, *rest
) -> list:
    """Run ``work(part, *rest)`` for each part in ``pool``; all results as one list."""
    try:
        jobs = [pool.submit(work, part, *rest) for part in parts]
        with progress(title, sum(map(len, parts))) as bar:
            for job in as_completed(jobs):
                bar.update(len(job.result()))
        return [result for job in jobs for result in job.result()]
    finally:
        pool.shutdown(cancel_futures=True)


def progress(title: str, total: int) -> tqdm:
    """A bar that leaves one line, and none where there was nothing to wait for."""
    return progress_bar(total, "picture", title, delay=1)
