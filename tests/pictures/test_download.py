"""download_faces, from a loopback server and from archives on this machine."""

import errno
import io
import shutil
import socket
import time
import zipfile
from pathlib import Path

import pytest
from sample_files import archive, folder, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import download as module
from dcgan_utils.pictures.download import OTHER_WAYS, download_faces

FACES = ["anime", "anime/faces", *(f"anime/faces/{i}.jpg" for i in range(3))]


@pytest.fixture
def refuse(tmp_path):
    """Check that a download ends in one sentence and leaves everything as it was."""

    def check(sentence, url, ways=OTHER_WAYS):
        before = tree(tmp_path)
        with pytest.raises(CourseError, match=sentence) as error:
            download_faces(tmp_path / "anime", str(url), timeout=0.5, tries=2)
        assert ways in str(error.value) and "\n" not in str(error.value)
        assert tree(tmp_path) == before and socket.getdefaulttimeout() is None

    return check


@pytest.fixture
def zipped(tmp_path):
    path = tmp_path / "my faces.zip"
    path.write_bytes(archive())
    return path


# --- the transfer -----------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ok", "no length", "cut once"])
def test_download(server, tmp_path, capsys, monkeypatch, mode):
    server.mode = mode
    monkeypatch.setenv("DCGAN_URL", server.url)
    assert download_faces(tmp_path / "anime") == tmp_path / "anime"
    assert tree(tmp_path) == FACES
    packed = zipfile.ZipFile(io.BytesIO(server.body))
    for i in range(3):
        name = f"faces/{i}.jpg"
        assert (tmp_path / "anime" / name).read_bytes() == packed.read(name)
    # What came before the cut is not asked for again.
    assert server.last_start == (len(server.body) // 2 if mode == "cut once" else 0)
    out = capsys.readouterr().out
    assert "%|" in out
    assert out.endswith("Unpacked 3 pictures; the whole anime set has 70,171.\n")


@pytest.mark.parametrize(
    "mode, reason",
    [
        ("404", "HTTP Error 404: Not Found"),
        ("hangs up", "Remote end closed connection"),
        ("silent", "timed out"),
        ("stall", "timed out"),
        ("cut", "File size is "),
    ],
)
def test_failed_download(server, tmp_path, refuse, mode, reason):
    folder(tmp_path / "anime" / ".mine")
    server.mode, start = mode, time.monotonic()
    refuse(rf"No archive came from .* \(.*{reason}", server.url)
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("reason", ["Name or service not known", "Connection refused"])
def test_no_network(refuse, monkeypatch, reason):
    def look_up(*args, **kwargs):
        raise OSError(1, reason)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    refuse(f"No archive came from .*{reason}", "http://example.invalid/faces.zip")


@pytest.mark.parametrize("moment", ["transfer", "unpacking"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "Full")])
def test_interrupt_and_full_disk(server, tmp_path, refuse, monkeypatch, moment, error):
    def fail(source, target, *args, **kwargs):
        if moment == "transfer":
            Path(f"{target}.part").write_bytes(b"half")
        raise error

    where = (module, "download") if moment == "transfer" else (shutil, "copyfileobj")
    monkeypatch.setattr(*where, fail)
    if isinstance(error, OSError):
        refuse("Full", server.url, ways="DCGAN_DATA_DIR")
    else:
        with pytest.raises(KeyboardInterrupt):
            download_faces(tmp_path / "anime", server.url)
        assert tree(tmp_path) == []


# --- what is there already --------------------------------------------------------


@pytest.mark.parametrize(
    "there", ["faces/0.jpg", "0.Png", "train/a/b/1.WEBP", "faces/.old/1.jpg", "a.txt"]
)
def test_what_is_there_is_kept(server, tmp_path, there):
    path = tmp_path / "anime" / there
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    before = tree(tmp_path)
    download_faces(tmp_path / "anime", server.url)
    picture = "old" not in there and "txt" not in there
    assert (server.requests == 0) == picture and path.read_bytes() == b"mine"
    assert tree(tmp_path) == (before if picture else sorted({*before, *FACES}))


# --- archives ---------------------------------------------------------------------


@pytest.mark.parametrize("form", [str, Path.as_uri])
def test_archive_on_this_machine(zipped, tmp_path, refuse, form):
    refuse("There is no archive", form(tmp_path / "none.zip"))
    download_faces(tmp_path / "anime", form(zipped))
    assert tree(tmp_path) == [*FACES, zipped.name]


LAYOUTS = {
    "a/faces/1.jpg a/faces/2.PNG a/3.webp": "1.jpg 2.png 3.webp",
    "faces/1.jpg faces/ faces/readme.txt faces.zip": "1.jpg",
    "./1.jpg __MACOSX/._1.jpg .git/2.jpg .3.jpg": "1.jpg",
    "a/1.jpg b/1.JPG c/d/1.jpg 1-1.jpg": "1-1.jpg 1.jpg 2-1.jpg 3-1-1.jpg",
    "1.jpg ../2.jpg faces/../../3.jpg ..\\4.jpg": "1.jpg",
    "1.jpg /2.jpg C:3.jpg a\\4.jpg //h/5.jpg": "1.jpg 2.jpg 3.jpg 4.jpg 5.jpg",
}


@pytest.mark.parametrize("names", LAYOUTS)
def test_archive_layouts(zipped, tmp_path, names):
    zipped.write_bytes(archive(*names.split()))
    download_faces(tmp_path / "anime", str(zipped))
    unpacked = [f"anime/faces/{name}" for name in LAYOUTS[names].split()]
    assert tree(tmp_path) == ["anime", "anime/faces", *unpacked, zipped.name]
    assert not Path("/2.jpg").exists()


def damaged(mark, place, flip) -> bytes:
    data = bytearray(archive())
    data[data.find(mark) + place] ^= flip
    return bytes(data)


BAD = {
    "no whole zip archive": archive()[:-30],
    "no whole zip archive .Bad CRC-32": damaged(b"PK\3\4", 60, 1),
    "no whole zip archive .*encrypted": damaged(b"PK\1\2", 8, 1),
    "no whole zip archive .File is not": b"faces, but not a zip",
    "holds no pictures": archive("readme.txt", "faces.zip"),
    r"holds 4\.3 GB of pictures": damaged(b"PK\1\2", 27, 255),  # byte of the size
    "File name too long": archive("x" * 300 + ".jpg"),
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_archive(zipped, refuse, sentence):
    zipped.write_bytes(BAD[sentence])
    refuse(sentence, zipped, ways="DCGAN_DATA_DIR")
