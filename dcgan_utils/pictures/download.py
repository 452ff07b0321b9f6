"""Get the course's pictures onto the disk: download the anime faces, check them."""

import http.client
import os
import shutil
import socket
import stat
import time
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath

from download import download

from .. import CourseError
from .folder import CLASS, PICTURES, progress
from .sample import folder_beside, move_in

ANIME_URL = "https://download.mindspore.cn/dataset/Faces/faces.zip"


ANIME_COUNT = 70_171


ARCHIVE_BYTES = 275 * 2**20  # of the anime faces, where the server does not say


MAX_UNPACKED = 4 * 10**9


MAX_MEMBERS = 1_000_000


MAX_RATIO = 100  # unpacked to packed; JPEG files stay near 1


SPACE_MARGIN = 100 * 2**20


PAUSE = 2.0  # seconds before the second try, twice that before the third


OTHER_WAYS = (
    "set DCGAN_DATA=sample to go on with sample faces drawn on this machine, or "
    "DCGAN_URL to another address or a faces.zip downloaded by hand, or DCGAN_DATA_DIR "
    "to the folder that holds anime/faces/"
)


def download_faces(
    root: Path, url: str | None = None, *, timeout: float = 20, tries: int = 3
) -> Path:
    """Download the anime faces and unpack them into ``root/faces``; return ``root``.

    ``url`` is the address of a zip archive or a file on this machine; by default the
    environment variable DCGAN_URL, else ANIME_URL. ``timeout`` is in seconds of
    silence. Pictures that are there are kept. Raises CourseError if the archive cannot
    be had or is not one of pictures; ``root`` is then as it was.
    """
    root = Path(root)
    url = url or os.environ.get("DCGAN_URL") or ANIME_URL
    if _holds_pictures(root):
        return root
    if (root / CLASS).is_dir() and os.listdir(root / CLASS):
        raise CourseError(
            f"{root / CLASS} holds files but no picture directly inside: put the "
            f"pictures there as {CLASS}/0.jpg and so on, or move the folder away."
        )
    with folder_beside(root) as made:
        archive = _local_file(url)
        if archive is None:
            archive = made / "faces.zip"
            _fetch(url, archive, timeout, tries)
        count = _unpack(archive, made / CLASS, url)
        root.mkdir(exist_ok=True)
        move_in(made / CLASS, root / CLASS)
    print(f"Unpacked {count:,} pictures; the whole anime set has {ANIME_COUNT:,}.")
    return root


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


def _fetch(url: str, archive: Path, timeout: float, tries: int) -> None:
    """Download a zip archive to ``archive``, going on where a transfer was cut.

    What came at the last try is left to _unpack, archive or not: it tells what it is.
    """
    before = socket.getdefaulttimeout()
    # `download` has a time limit for opening only: this one holds for reading too.
    socket.setdefaulttimeout(timeout)
    try:
        for attempt in range(1, tries + 1):
            last = attempt == tries
            size = _ask_size(url, timeout, last)
            if size is not None:
                part = Path(f"{archive}.part")  # of the try before
                if not size:  # `download` cannot go on with it
                    part.unlink(missing_ok=True)
                needed = int((size or ARCHIVE_BYTES) * 2.2)
                there = part.stat().st_size if part.exists() else 0
                _need_space(archive.parent, needed - there)
                try:
                    download(url, str(archive), timeout=timeout, verbose=False)
                    if last or zipfile.is_zipfile(archive):
                        return
                    archive.unlink()
                except Exception as error:  # `download` raises whatever it meets
                    if last:
                        raise CourseError(
                            f"The download of {url} was cut {tries} times "
                            f"({_reason(error)}): try again later, or {OTHER_WAYS}."
                        ) from error
            time.sleep(PAUSE * attempt)
    finally:
        socket.setdefaulttimeout(before)


def _ask_size(url: str, timeout: float, last: bool) -> int | None:
    """How many bytes the server announces, 0 if it does not say.

    None where it makes sense to ask again, unless this was the last time.
    """
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return int(answer.headers.get("Content-Length") or 0)
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        passing = (TimeoutError, ConnectionResetError, http.client.HTTPException)
        if not last and (isinstance(cause, passing) or getattr(error, "code", 0) > 499):
            return None
        raise CourseError(
            f"No pictures from {url} ({_reason(error)}): {OTHER_WAYS}."
        ) from error


def _reason(error: BaseException) -> str:
    """What went wrong with a connection, in a few words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, urllib.error.HTTPError):
            return f"the server answers {cause.code} {cause.reason}"
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        if isinstance(cause, socket.gaierror):
            return "no network, or no such host"
        if isinstance(cause, urllib.error.URLError):
            cause = cause.reason if isinstance(cause.reason, OSError) else None
        elif cause.__context__ is None:
            break
        else:
            cause = cause.__context__
    return str(cause or error).split("*")[0]  # `download` adds advice after a star


def _need_space(folder: Path, size: int) -> None:
    """Raise CourseError unless the disk of ``folder`` has room for ``size`` bytes."""
    free = shutil.disk_usage(folder).free
    if free < size + SPACE_MARGIN:
        raise CourseError(
            f"The pictures need {(size + SPACE_MARGIN) / 2**20:,.0f} MiB and the disk "
            f"of {folder.parent} has {free / 2**20:,.0f} MiB free: make room, or set "
            "DCGAN_DATA_DIR to a folder on another disk, or set DCGAN_DATA=sample to "
            "go on with sample faces drawn on this machine."
        )


def _unpack(archive: Path, folder: Path, url: str) -> int:
    """Unpack the pictures of a zip archive, flat, into ``folder``; say how many."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = _pictures_inside(packed, archive)
            _need_space(folder.parent, sum(m.file_size for m, _ in members))
            folder.mkdir()
            with progress("Unpacking", len(members)) as bar:
                for member, name in members:
                    # Reading to the end compares the CRC.
                    with packed.open(member) as source, open(folder / name, "wb") as to:
                        shutil.copyfileobj(source, to)
                    bar.update()
    except (CourseError, OSError):
        raise
    except Exception as error:  # zipfile raises many kinds on nonsense
        with archive.open("rb") as file:
            start = file.read(24)
        raise CourseError(
            f"What came from {url} is no whole zip archive ({error}; it begins with "
            f"{start!r}): try again later, or {OTHER_WAYS}."
        ) from error
    return len(members)


def _pictures_inside(
    packed: zipfile.ZipFile, archive: Path
) -> list[tuple[zipfile.ZipInfo, str]]:
    """The archive's pictures, each with the file name it gets; hostile ones refused."""
    if len(packed.infolist()) > MAX_MEMBERS:
        raise CourseError(
            f"The archive is refused: it holds {len(packed.infolist()):,} files; "
            f"{OTHER_WAYS}."
        )
    chosen: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for member in packed.infolist():
        name = member.filename.replace("\\", "/")
        path = PurePosixPath(name)
        link = stat.S_ISLNK(member.external_attr >> 16)
        if link or path.is_absolute() or ".." in path.parts or ":" in name:
            raise CourseError(
                f"The archive is refused: its member {name!r} is a link or leads out "
                f"of the folder; {OTHER_WAYS}."
            )
        total += member.file_size
        hidden = path.name.startswith(".")  # such as macOS' __MACOSX/._1.jpg
        if member.is_dir() or hidden or path.suffix.lower() not in PICTURES:
            continue
        # Pictures of one name in several folders keep apart by the folder's name.
        short, long = path.name.lower(), "-".join(path.parts).lower()
        chosen[long if short in chosen else short] = member
    if total > MAX_UNPACKED or total > MAX_RATIO * archive.stat().st_size:
        raise CourseError(
            f"The archive is refused: it would unpack to {total / 1e9:,.1f} GB; "
            f"{OTHER_WAYS}."
        )
    if not chosen:
        raise CourseError(
            f"The archive holds no .jpg or .png pictures (faces/0.jpg …): {OTHER_WAYS}."
        )
    return [(member, name) for name, member in chosen.items()]


def _holds_pictures(root: Path) -> bool:
    """Whether pictures are in ``root``, in class folders or (by mistake) loose."""
    found = (path for pattern in ("*", "*/*") for path in root.glob(pattern))
    return any(path.suffix.lower() in PICTURES for path in found)
