"""Download the anime faces and unpack their pictures."""

import os
import re
import shutil
import socket
import time
import urllib.request
import zipfile
from pathlib import Path, PurePath, PurePosixPath

from download import download

from .. import CourseError
from ..files import whole_folder
from ..progress import progress_bar
from .decode import picture_endings
from .sample import CLASS

ANIME_URL = "https://download.mindspore.cn/dataset/Faces/faces.zip"
ANIME_COUNT = 70_171
MAX_UNPACKED = 4 * 10**9  # bytes; an archive that says more is taken for a bomb
PAUSE = 2.0  # seconds before the second try, twice that before the third
OTHER_WAYS = (
    "set DCGAN_DATA=sample (in a shell: --data sample) to go on with sample faces "
    "drawn on this machine, or DCGAN_URL to another address or a faces.zip downloaded "
    "by hand, or DCGAN_DATA_DIR to the folder that holds anime/faces/"
)


def download_faces(
    root: Path, url: str | None = None, *, timeout: float = 20, tries: int = 3
) -> Path:
    """Download the anime faces and unpack them into ``root/faces``; return ``root``.

    ``url`` is the address of a zip archive or a file on this machine; by default the
    environment variable DCGAN_URL, else ANIME_URL. ``timeout`` is in seconds of
    silence. A transfer that was cut goes on, so many ``tries`` in all. Pictures that
    are there are kept. Raises CourseError if the archive cannot be had or is not one
    of pictures; ``root`` is then as it was.
    """
    root = Path(root)
    url = url or os.environ.get("DCGAN_URL") or ANIME_URL
    if root.is_dir() and _holds_pictures(root):
        return root
    with whole_folder(root) as made:
        fetched = made / "faces.zip"
        archive = _local_file(url) or _fetch(url, fetched, timeout, tries)
        count = _unpack(archive, made / CLASS, url)
        fetched.unlink(missing_ok=True)
    print(f"Unpacked {count:,} pictures; the whole anime set has {ANIME_COUNT:,}.")
    return root


def _holds_pictures(folder: Path) -> bool:
    """Whether pictures are in a folder, at any depth; OSError if it may not be read."""
    return any(
        _holds_pictures(path) if path.is_dir() else _is_picture(PurePath(path.name))
        for path in folder.iterdir()
        if not path.name.startswith(".")
    )


def _is_picture(path: PurePath) -> bool:
    """Whether Pillow knows the extension; hidden names are never pictures."""
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix.lower() in picture_endings()


def _local_file(url: str) -> Path | None:
    """The archive on this machine that ``url`` names, if it names one."""
    if url.lower().startswith("file:"):
        path = Path(urllib.request.url2pathname(urllib.parse.urlparse(url).path))
    elif "://" not in url:
        path = Path(url).expanduser()
    else:
        return None
    if not path.is_file():
        raise CourseError(f"There is no archive {path}: {OTHER_WAYS}.")
    return path


def _fetch(url: str, archive: Path, timeout: float, tries: int) -> Path:
    """Download to ``archive`` and return it, going on where a transfer was cut."""
    before = socket.getdefaulttimeout()
    # `download` has a time limit for opening only: this one holds for reading too.
    socket.setdefaulttimeout(timeout)
    part = Path(f"{archive}.part")  # where `download` keeps what came so far
    try:
        for attempt in range(1, tries + 1):
            try:
                return Path(download(url, str(archive), timeout=timeout, verbose=False))
            except Exception as error:  # `download` raises whatever it meets
                if attempt == tries or not part.exists():
                    # What `download` met; its own advice stands behind a star.
                    reason = str(error.__context__ or error).split("*")[0].strip("<>")
                    raise CourseError(
                        f"No archive came from {url} ({reason}): try again later, or "
                        f"{OTHER_WAYS}."
                    ) from error
            time.sleep(PAUSE * attempt)
    finally:
        socket.setdefaulttimeout(before)


def _unpack(archive: Path, folder: Path, url: str) -> int:
    """Unpack the pictures of a zip archive, flat, into ``folder``; say how many."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            members = _pictures_inside(packed)
            with progress_bar(len(members), "picture", "Unpacking", delay=1) as bar:
                for name, member in members.items():
                    # Reading to the end compares the CRC.
                    with packed.open(member) as source, open(folder / name, "wb") as to:
                        shutil.copyfileobj(source, to)
                    bar.update()
    except (CourseError, OSError):
        raise
    except Exception as error:  # zipfile raises many kinds on nonsense
        raise CourseError(
            f"What came from {url} is no whole zip archive ({error}): try again later, "
            f"or {OTHER_WAYS}."
        ) from error
    return len(members)


def _pictures_inside(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's pictures, by the names they get: without a folder to lead out."""
    chosen: dict[str, zipfile.ZipInfo] = {}
    for member in packed.infolist():
        # Small letters: some disks take 1.JPG for 1.jpg.
        path = PurePosixPath(re.sub(r"[\\:]", "/", member.filename.lower()))
        if _is_picture(path):
            name = path.name
            while name in chosen:
                name = f"{len(chosen)}-{name}"
            chosen[name] = member
    size = sum(member.file_size for member in chosen.values())
    if not chosen or size > MAX_UNPACKED:
        what = f"{size / 1e9:,.1f} GB of" if chosen else "no"
        raise CourseError(f"The archive holds {what} pictures: {OTHER_WAYS}.")
    return chosen
