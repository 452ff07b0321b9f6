"""faces.py: drawing and downloading, on small pictures and a loopback server.

The server is a thread of this process; nothing leaves the machine.
"""

import copy
import csv
import io
import multiprocessing
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rights import nobody, public_folder
from sample_files import folder, picture, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import download as downloading
from dcgan_utils.pictures import get, sample
from dcgan_utils.pictures.portrait import draw_face, random_labels
from dcgan_utils.settings import Settings

TOP = Path(__file__).parents[2]


def archive(*members, **options) -> bytes:
    """A zip of (name, bytes) members; by default three faces."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", **options) as packed:
        for name, content in members or [
            (f"faces/{i}.jpg", picture(quality=60 + i)) for i in range(3)
        ]:
            packed.writestr(name, content)
    return data.getvalue()


# --- drawing ----------------------------------------------------------------------


def test_draw_layout_and_labels(tmp_path, capsys):
    root = sample.draw_sample_faces(tmp_path / "sample", 5)
    assert tree(tmp_path) == sorted(
        ["sample", "sample/drawn-by.txt", "sample/faces", "sample/labels.csv"]
        + [f"sample/faces/{i}.jpg" for i in range(5)]
    )
    with Image.open(root / "faces" / "4.jpg") as face:
        assert (face.format, face.mode, face.size) == ("JPEG", "RGB", (96, 96))
    rows = list(csv.DictReader((root / "labels.csv").open(encoding="utf-8")))
    assert [row["file"] for row in rows] == [f"faces/{i}.jpg" for i in range(5)]
    assert " ".join(rows[0]) == (
        "file hair_colour hair_style eye_colour expression skin accessory background "
        "tilt"
    )
    assert all(abs(float(row["tilt"])) <= 90 for row in rows)
    assert len({row["hair_colour"] + row["hair_style"] for row in rows}) > 1


def test_a_face_depends_on_seed_and_number_only(tmp_path):
    many = sample.draw_sample_faces(tmp_path / "a", 6)
    few = sample.draw_sample_faces(tmp_path / "b", 3)
    other = sample.draw_sample_faces(tmp_path / "c", 3, seed=2)
    rng = np.random.default_rng([1, 2])
    wanted = io.BytesIO()
    draw_face(random_labels(rng), rng, size=96).save(wanted, "JPEG", quality=95)
    assert (many / "faces/2.jpg").read_bytes() == wanted.getvalue()
    for i in range(3):
        name = f"faces/{i}.jpg"
        assert (many / name).read_bytes() == (few / name).read_bytes()
        assert (many / name).read_bytes() != (other / name).read_bytes()


def test_two_processes_draw_the_same_bytes(tmp_path, monkeypatch):
    alone = sample.draw_sample_faces(tmp_path / "alone", 34)
    monkeypatch.setattr(sample, "FEW_FACES", 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sample, "ThreadPoolExecutor", None)  # no way but processes
    together = sample.draw_sample_faces(tmp_path / "together", 34)
    assert tree(alone) == tree(together)
    for name in tree(alone):
        if (alone / name).is_file():
            assert (alone / name).read_bytes() == (together / name).read_bytes(), name


def test_draw_once(tmp_path, monkeypatch):
    root = sample.draw_sample_faces(tmp_path / "s", 3)
    monkeypatch.setattr(sample, "draw_face", None)
    assert sample.draw_sample_faces(root, 3) == root


def test_draw_only_what_is_missing(tmp_path):
    root = sample.draw_sample_faces(tmp_path / "s", 4)
    kept = (root / "faces/0.jpg").stat().st_mtime_ns
    drawn = (root / "faces/2.jpg").read_bytes()
    (root / "faces/2.jpg").unlink()
    sample.draw_sample_faces(root, 4)
    assert (root / "faces/2.jpg").read_bytes() == drawn
    assert (root / "faces/0.jpg").stat().st_mtime_ns == kept
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_draw_never_mixes_with_other_pictures(tmp_path):
    root = folder(tmp_path / "s")
    before = tree(tmp_path)
    with pytest.raises(CourseError, match=r"holds other pictures.*DCGAN_DATA_DIR"):
        sample.draw_sample_faces(root, 5)
    sample.draw_sample_faces(tmp_path / "t", 2)
    with pytest.raises(CourseError, match="holds other pictures"):
        sample.draw_sample_faces(tmp_path / "t", 2, seed=2)
    shutil.rmtree(tmp_path / "t")
    assert tree(tmp_path) == before


def test_faces_of_another_drawing_are_not_kept(tmp_path, monkeypatch):
    root = sample.draw_sample_faces(tmp_path / "s", 2)
    before = tree(root)
    monkeypatch.setattr(sample, "DRAWER", "drawing.py 2")
    with pytest.raises(CourseError, match=r"another version.*delete .*s, and"):
        sample.draw_sample_faces(root, 2)
    assert tree(root) == before
    (root / "drawn-by.txt").unlink()  # as the first version left it
    with pytest.raises(CourseError, match="another version"):
        sample.draw_sample_faces(root, 2)
    monkeypatch.setattr(sample, "DRAWER", "drawing.py 1")
    assert sample.draw_sample_faces(root, 2) == root


def test_draw_wants_a_face():
    with pytest.raises(CourseError, match="at least 1"):
        sample.draw_sample_faces(Path("nowhere"), 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_drawing_leaves_nothing(tmp_path, monkeypatch, error):
    draw, calls = sample.draw_face, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise error
        return draw(*args, **kwargs)

    monkeypatch.setattr(sample, "draw_face", interrupted)
    with pytest.raises(error):
        sample.draw_sample_faces(tmp_path / "s", 5)
    assert tree(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_on_processes_leaves_nothing(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from dcgan_utils.pictures import sample\n"
        "sample.os.cpu_count = lambda: 2\n"
        "if __name__ == '__main__':\n"
        "    try: sample.draw_sample_faces(Path(sys.argv[1]) / 's', 4000)\n"
        "    except KeyboardInterrupt: print('interrupted')\n"
    )
    script = tmp_path / "draw.py"
    script.write_text(program)
    (tmp_path / "data").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "data").rglob("*.jpg")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.endswith("interrupted\n")
    assert tree(tmp_path / "data") == []


def test_workers_leave_ctrl_c_to_the_first_process():
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, sample._leave_interrupts_alone) as pool:
        pool.submit(signal.raise_signal, signal.SIGINT).result()


def test_a_second_kernel_that_was_first_is_kept(tmp_path, monkeypatch):
    root = tmp_path / "s"

    def late(*args):
        draw(*args)
        with monkeypatch.context() as patch:  # meanwhile, the other kernel
            patch.setattr(sample, "_draw", draw)
            sample.draw_sample_faces(root, 3)
        marks.append((root / "faces/0.jpg").stat().st_ino)

    draw, marks = sample._draw, []
    monkeypatch.setattr(sample, "_draw", late)
    sample.draw_sample_faces(root, 3)
    assert (root / "faces/0.jpg").stat().st_ino == marks[0]
    assert len(tree(root)) == 6 and [p.name for p in tmp_path.iterdir()] == ["s"]


def test_import_starts_no_mindspore():
    program = (
        "import sys, dcgan_utils.pictures.download; print('mindspore' in sys.modules)"
    )
    answer = subprocess.check_output(
        [sys.executable, "-c", program], cwd=TOP, text=True
    )
    assert answer == "False\n"


# --- downloading ------------------------------------------------------------------


# How many requests go wrong. The size is asked for once by us and twice by `download`,
# which then fetches.
ONCE = {
    "cut once": 4,
    "cut, no length once": 4,
    "html once": 4,
    "too short once": 4,
    "500 once": 1,
    "silent once": 1,
    "hangs up once": 1,
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests += 1
        mode, body = server.mode, server.body
        if mode in ONCE:
            mode = mode.removesuffix(" once") if server.requests <= ONCE[mode] else "ok"
        if mode in ("404", "500"):
            return self.send_error(int(mode))
        if mode == "hangs up":
            return None
        if mode == "silent":
            return server.over.wait(20)
        if mode == "html":
            body = b"<html><body>Please log in</body></html>"
        if mode == "empty":
            body = b""
        if mode == "text":
            body = b"faces, but not a zip " * 50
        length = {"too long": len(body) * 2, "too short": len(body) // 2}
        self.send_response(200)
        if "no length" not in mode:
            self.send_header("Content-Length", str(length.get(mode, len(body))))
        self.end_headers()
        if mode.startswith("cut") or mode == "stall":
            self.wfile.write(body[: int(len(body) * server.cut)])
            if mode == "stall":
                self.wfile.flush()
                server.over.wait(20)
        else:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """A loopback server: set ``mode`` and ``body``; ``url`` is its archive."""
    monkeypatch.setattr(downloading, "PAUSE", 0)
    monkeypatch.delenv("DCGAN_URL", raising=False)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *args: None  # clients that hang up are no news
    httpd.mode, httpd.body, httpd.requests = "ok", archive(), 0
    httpd.cut = 0.5  # this share of the body is sent
    httpd.over = threading.Event()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/faces.zip"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield httpd
    httpd.over.set()
    httpd.shutdown()
    httpd.server_close()


@pytest.mark.parametrize("mode", ["ok", "no length", *ONCE])
def test_download(server, tmp_path, capsys, mode):
    server.mode = mode
    before = socket.getdefaulttimeout()
    timeout = 0.4 if mode == "silent once" else 5
    root = downloading.download_faces(
        tmp_path / "data" / "anime", server.url, timeout=timeout
    )
    assert root == tmp_path / "data" / "anime"
    assert tree(tmp_path / "data") == [
        "anime",
        "anime/faces",
        *(f"anime/faces/{i}.jpg" for i in range(3)),
    ]
    packed = zipfile.ZipFile(io.BytesIO(server.body))
    for i in range(3):
        name = f"faces/{i}.jpg"
        assert (root / name).read_bytes() == packed.read(name)
    assert "Unpacked 3 pictures; the whole anime set has 70,171." in (
        capsys.readouterr().out
    )
    assert socket.getdefaulttimeout() == before


def test_download_reads_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_URL", server.url)
    assert len(tree(downloading.download_faces(tmp_path / "anime"))) == 4


WAYS = r"DCGAN_DATA=sample .*DCGAN_URL .*DCGAN_DATA_DIR"
FAILURES = {
    "404": "the server answers 404",
    "500": "the server answers 500",
    "hangs up": "Remote end closed connection",
    "cut": "was cut 2 times",
    "stall": r"was cut 2 times \(no answer in time\)",
    "silent": "no answer in time",
    "html": "no whole zip archive .*<html>",
    "empty": "no whole zip archive",
    "text": "no whole zip archive",
    "too long": "was cut 2 times",
    "too short": "no whole zip archive",
}


@pytest.mark.parametrize("mode", FAILURES)
@pytest.mark.parametrize("stands", [False, True], ids=["fresh", "folder there"])
def test_failed_download_leaves_the_folder_as_it_was(server, tmp_path, mode, stands):
    server.mode = mode
    if stands:
        (tmp_path / "anime").mkdir()
        (tmp_path / "anime" / "notes.txt").write_text("mine")
    before = tree(tmp_path)
    limit = socket.getdefaulttimeout()
    with pytest.raises(CourseError, match=FAILURES[mode]) as error:
        downloading.download_faces(tmp_path / "anime", server.url, timeout=0.4, tries=2)
    assert error.match(WAYS)
    assert "\n" not in str(error.value)
    assert tree(tmp_path) == before
    assert socket.getdefaulttimeout() == limit
    # Asked again, but for a page that is not there, and no more often than told to.
    asked = {"404": 1, "500": 2, "silent": 2, "hangs up": 2}
    assert server.requests == asked.get(mode, 8)


@pytest.mark.parametrize("length", ["", ", no length"])
@pytest.mark.parametrize("share", [0, 1e-9, 0.02, 0.3, 0.7, 0.99, 1 - 1e-9])
def test_a_download_cut_anywhere_leaves_nothing(server, tmp_path, share, length):
    server.mode, server.cut = f"cut{length}", share
    with pytest.raises(CourseError, match=r"was cut 2 times|no whole zip archive"):
        downloading.download_faces(tmp_path / "anime", server.url, timeout=0.4, tries=2)
    assert tree(tmp_path) == [] and server.requests == 8


def test_no_network(tmp_path, monkeypatch):
    def nobody(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(CourseError, match=f"no network, or no such host.*{WAYS}"):
        downloading.download_faces(
            tmp_path / "anime", "http://example.invalid/faces.zip"
        )
    assert tree(tmp_path) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "gopher://x/y", "http://[/"])
def test_address_that_does_not_answer(tmp_path, url):
    with pytest.raises(CourseError, match=f"No pictures from.*{WAYS}"):
        downloading.download_faces(tmp_path / "anime", url, timeout=2)
    assert tree(tmp_path) == []


def test_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    def interrupted(url, path, **options):
        Path(path + ".part").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(downloading, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        downloading.download_faces(tmp_path / "anime", server.url)
    assert tree(tmp_path) == []


@pytest.mark.parametrize("as_url", [False, True], ids=["path", "file url"])
def test_archive_on_this_machine(tmp_path, monkeypatch, as_url):
    zipped = tmp_path / "my faces.zip"
    zipped.write_bytes(archive())
    monkeypatch.setenv("DCGAN_URL", zipped.as_uri() if as_url else str(zipped))
    root = downloading.download_faces(tmp_path / "anime")
    assert len(list((root / "faces").glob("*.jpg"))) == 3
    assert zipped.exists() and not list(tmp_path.glob(".*"))


def test_archive_on_this_machine_missing(tmp_path):
    with pytest.raises(CourseError, match=f"There is no archive.*{WAYS}"):
        downloading.download_faces(tmp_path / "anime", str(tmp_path / "none.zip"))


def test_pictures_that_are_there_are_kept(server, tmp_path):
    root = folder(tmp_path / "anime")
    downloading.download_faces(root, server.url)
    assert server.requests == 0 and len(tree(root)) == 4


def test_other_files_in_the_way(server, tmp_path):
    (tmp_path / "anime/faces/faces").mkdir(parents=True)
    with pytest.raises(CourseError, match="no picture directly inside"):
        downloading.download_faces(tmp_path / "anime", server.url)
    assert server.requests == 0


def test_empty_folder_in_the_way(server, tmp_path):
    (tmp_path / "anime/faces").mkdir(parents=True)
    assert len(tree(downloading.download_faces(tmp_path / "anime", server.url))) == 4


def test_a_second_download_that_was_first_is_kept(server, tmp_path, monkeypatch):
    unpack = downloading._unpack

    def late(*args):
        count = unpack(*args)
        folder(tmp_path / "anime", mine_jpg=picture())
        return count

    monkeypatch.setattr(downloading, "_unpack", late)
    downloading.download_faces(tmp_path / "anime", server.url)
    assert (tmp_path / "anime/faces/mine.jpg").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["anime"]


def test_left_over_folders_of_killed_kernels_go(server, tmp_path):
    old, new = tmp_path / ".anime-old", tmp_path / ".anime-new"
    old.mkdir()
    new.mkdir()
    os.utime(old, (0, 0))
    downloading.download_faces(tmp_path / "anime", server.url)
    assert not old.exists() and new.exists()


Usage = namedtuple("Usage", "total used free")


def test_no_room_for_the_archive(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "SPACE_MARGIN", 0)
    free = int(len(server.body) * 2.2) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, free))
    with pytest.raises(CourseError, match=r"make room.*DCGAN_DATA_DIR.*sample"):
        downloading.download_faces(tmp_path / "anime", server.url)
    assert server.requests == 1 and tree(tmp_path) == []
    free += 1
    downloading.download_faces(tmp_path / "anime", server.url)
    server.mode = "no length"  # then as much as the real one needs
    with pytest.raises(CourseError, match="need 605 MiB"):
        downloading.download_faces(tmp_path / "other", server.url)


def test_what_came_before_a_cut_takes_no_room_twice(server, tmp_path, monkeypatch):
    def usage(path):
        used = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
        return Usage(10**9, used, room - used)

    server.mode, room = "cut once", int(len(server.body) * 2.2)
    monkeypatch.setattr(downloading, "SPACE_MARGIN", 0)
    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert len(tree(downloading.download_faces(tmp_path / "anime", server.url))) == 4


def test_no_room_to_unpack(tmp_path, monkeypatch):
    zipped = tmp_path / "faces.zip"
    zipped.write_bytes(archive())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 1000))
    with pytest.raises(CourseError, match="make room"):
        downloading.download_faces(tmp_path / "anime", str(zipped))
    assert tree(tmp_path) == ["faces.zip"]


def test_unwritable_folder(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match=r"cannot be written.*DCGAN_DATA_DIR"):
        downloading.download_faces(tmp_path / "file" / "anime", server.url)


def link_member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


def with_twins(count, size, content) -> bytes:
    """An archive whose table names one file so many times, each time of so many bytes.

    All lie at one place, as in the bombs that overlap.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("faces/0.jpg", content)
        for i in range(1, count):
            twin = copy.copy(packed.filelist[0])
            twin.filename, twin.file_size = f"faces/{i}.jpg", size
            packed.filelist.append(twin)
    return data.getvalue()


GOOD = ("faces/0.jpg", b"x" * 999)
HOSTILE = {
    "100 GB": with_twins(26, 4 * 10**9, os.urandom(999)),
    "dots": archive(GOOD, ("../../evil.jpg", b"x" * 999)),
    "dots inside": archive(GOOD, ("faces/../../evil.jpg", b"x" * 999)),
    "backslashes": archive(GOOD, ("..\\evil.jpg", b"x" * 999)),
    "absolute": archive(GOOD, ("/evil.jpg", b"x" * 999)),
    "drive": archive(GOOD, ("C:/evil.jpg", b"x" * 999)),
    "drive, no picture": archive(GOOD, ("C:evil.txt", b"x" * 999)),
    "link": archive(GOOD, (link_member("faces/evil.jpg"), "/etc/passwd")),
    "bomb": archive(("faces/0.jpg", bytes(10**6)), compression=zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archive_is_refused_before_a_byte_is_written(
    tmp_path, monkeypatch, kind
):
    zipped = tmp_path / "faces.zip"
    zipped.write_bytes(HOSTILE[kind])
    monkeypatch.setattr(shutil, "copyfileobj", None)  # no byte
    with pytest.raises(CourseError, match=f"archive is refused.*{WAYS}"):
        downloading.download_faces(tmp_path / "anime", str(zipped))
    assert tree(tmp_path) == ["faces.zip"]


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [("MAX_UNPACKED", "it would unpack to"), ("MAX_MEMBERS", "it holds 3 files")],
)
def test_huge_archive_is_refused(tmp_path, monkeypatch, limit, sentence):
    zipped = tmp_path / "faces.zip"
    zipped.write_bytes(archive())
    monkeypatch.setattr(downloading, limit, 2)
    with pytest.raises(CourseError, match=f"refused: {sentence}"):
        downloading.download_faces(tmp_path / "anime", str(zipped))
    assert tree(tmp_path) == ["faces.zip"]


def broken_crc() -> bytes:
    data = bytearray(archive())
    data[60] ^= 1
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(archive())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(mark) + place] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (broken_crc(), "no whole zip archive .Bad CRC-32"),
        (archive()[:-30], "no whole zip archive"),
        (encrypted(), "no whole zip archive .*encrypted"),
        (archive(("readme.txt", b"x")), "holds no .jpg or .png"),
        (archive(("faces.zip", archive())), "holds no .jpg or .png"),
        (with_twins(3, 999, os.urandom(999)), "no whole zip archive"),
        (with_twins(2, 9, bytes(999)), "no whole zip archive"),
        (archive(("x" * 300 + ".jpg", b"x")), "File name too long"),
    ],
    ids=[
        "CRC", "cut", "encrypted", "no pictures", "zip in zip", "overlapping",
        "more than it says", "long name",
    ],
)  # fmt: skip
def test_bad_archive(tmp_path, data, sentence):
    zipped = tmp_path / "faces.zip"
    zipped.write_bytes(data)
    way = "DCGAN_DATA_DIR" if "long" in sentence else WAYS
    with pytest.raises(CourseError, match=f"{sentence}.*{way}"):
        downloading.download_faces(tmp_path / "anime", str(zipped))
    assert tree(tmp_path) == ["faces.zip"]


@pytest.mark.parametrize(
    "names, wanted",
    [
        (["a/faces/1.jpg", "a/faces/2.PNG"], ["1.jpg", "2.png"]),
        (["1.jpg", "2.jpeg"], ["1.jpg", "2.jpeg"]),
        (["faces/1.jpg", "__MACOSX/faces/._1.jpg", "faces/._2.jpg"], ["1.jpg"]),
        (["a/1.jpg", "b/1.jpg", "b/2.jpg"], ["1.jpg", "2.jpg", "b-1.jpg"]),
        (["faces/1.jpg", "faces/readme.txt", "faces/"], ["1.jpg"]),
        (["faces\\1.jpg"], ["1.jpg"]),
    ],
)
def test_archive_layouts(tmp_path, names, wanted):
    zipped = tmp_path / "faces.zip"
    zipped.write_bytes(archive(*((name, picture()) for name in names)))
    root = downloading.download_faces(tmp_path / "anime", str(zipped))
    assert tree(root) == ["faces", *(f"faces/{name}" for name in wanted)]


# --- get_faces --------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_get_sample_faces(home, capsys, monkeypatch):
    monkeypatch.setattr(get, "download_faces", None)
    root = get.get_faces(Settings(data="sample", face_count=4))
    assert root == home / "sample-4" and len(list(root.glob("faces/*.jpg"))) == 4
    assert capsys.readouterr().out == "4 pictures in sample-4, 0 damaged\n"


def test_get_sample_faces_draws_a_damaged_one_anew(home, capsys):
    settings = Settings(data="sample", face_count=3)
    face = get.get_faces(settings) / "faces" / "1.jpg"
    drawn = face.read_bytes()
    face.write_bytes(drawn[:200])
    get.get_faces(settings)
    assert face.read_bytes() == drawn
    assert capsys.readouterr().out.endswith("3 pictures in sample-3, 0 damaged\n")


def test_get_anime_faces(home, server, capsys, monkeypatch):
    monkeypatch.setenv("DCGAN_URL", server.url)
    monkeypatch.setattr(get, "draw_sample_faces", None)
    root = get.get_faces(Settings())
    asked = server.requests
    assert root == home / "anime" and asked > 0
    (root / "faces" / "bad.jpg").write_bytes(b"bad")
    get.get_faces(Settings())
    assert server.requests == asked
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "3 of 70,171 pictures in anime, 0 damaged",
        "3 of 70,171 pictures in anime, 1 damaged (set aside in anime-damaged)",
    ]


def test_get_anime_faces_never_draws(home, server, monkeypatch):
    server.mode = "404"
    monkeypatch.setenv("DCGAN_URL", server.url)
    monkeypatch.setattr(get, "draw_sample_faces", None)
    with pytest.raises(CourseError, match="set DCGAN_DATA=sample to go on"):
        get.get_faces(Settings())
    assert tree(home) == []


@pytest.mark.parametrize("closed", [".", "anime", "anime/faces"])
def test_get_faces_that_may_not_be_read(home, monkeypatch, closed):
    """Such as those of a teacher who forgot that the class must read them."""
    with public_folder() as top:
        folder(top / "anime")
        monkeypatch.setenv("DCGAN_DATA_DIR", str(top))
        (top / closed).chmod(0)
        with nobody(), pytest.raises(CourseError) as error:
            get.get_faces(Settings())
        (top / closed).chmod(0o755)
    assert "cannot be read (Permission denied)" in str(error.value)
    assert "DCGAN_DATA_DIR" in str(error.value)


def test_get_anime_faces_unpacked_flat_by_hand(home, server, monkeypatch):
    monkeypatch.setenv("DCGAN_URL", server.url)
    (home / "anime").mkdir()
    (home / "anime" / "0.jpg").write_bytes(picture())
    with pytest.raises(CourseError, match="no class folder"):
        get.get_faces(Settings())
    assert server.requests == 0
