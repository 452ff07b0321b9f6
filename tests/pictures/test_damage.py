"""damage.py: what MindSpore cannot read is found, set aside or rewritten."""

import io
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import EpsImagePlugin, Image, PngImagePlugin
from rights import nobody, public_folder
from sample_files import folder, picture, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import folder as folder_module
from dcgan_utils.pictures.folder import FaceReport, check_faces


def test_check_good_pictures(tmp_path):
    root = folder(tmp_path / "r", x_png=picture(form="PNG"), y_JPEG=picture())
    assert check_faces(root) == FaceReport(root, 5, (), ())
    assert tree(tmp_path)[:2] == ["r", "r/checked.json"]
    assert not (tmp_path / "r-damaged").exists()


def jpeg() -> bytes:
    return picture(size=(96, 96), quality=90)


def png(*parts: tuple[bytes, bytes]) -> bytes:
    """A PNG of these parts, each with the sum that it should have."""
    whole = b"\x89PNG\r\n\x1a\n"
    for kind, body in parts:
        check = struct.pack(">I", zlib.crc32(kind + body))
        whole += struct.pack(">I", len(body)) + kind + body + check
    return whole


def parts_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """The parts of a PNG, as ``png`` takes them."""
    parts, place = [], 8
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        parts.append((kind, data[place + 8 : place + 8 + size]))
        place += 12 + size
    return parts


def head(width=8, height=8, bits=8, colour=2, packing=0, filtering=0, interlaced=0):
    numbers = width, height, bits, colour, packing, filtering, interlaced
    return b"IHDR", struct.pack(">IIBBBBB", *numbers)


ROWS = b"".join(bytes([0]) + bytes(range(100, 124)) for _ in range(8))  # 8 × 8 RGB
END = b"IEND", b""


def data(rows: bytes) -> tuple[bytes, bytes]:
    return b"IDAT", zlib.compress(rows)


def interlaced_png(width, height, bits, colour) -> bytes:
    """Seven passes, each of the pixels x0, x0 + dx, … of the rows y0, y0 + dy, …"""
    rows = b""
    for x0, y0, dx, dy in zip(
        (0, 4, 0, 2, 0, 1, 0), (0, 0, 4, 0, 2, 0, 1),
        (8, 8, 4, 4, 2, 2, 1), (8, 8, 8, 4, 4, 2, 2),
    ):  # fmt: skip
        columns = len(range(x0, width, dx))
        row = bytes((columns * bits * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
        rows += (b"\0" + row) * len(range(y0, height, dy)) if columns else b""
    return png(head(width, height, bits, colour, interlaced=1), data(rows), END)


# PNG pictures that Pillow shows without a word, and MindSpore's reader refuses.
LAX = {
    "too few rows": png(head(), data(ROWS[:100]), END),
    "no end": png(head(), (b"IDAT", zlib.compress(ROWS + bytes(99), 0)[:-50]), END),
    "unknown but needed": png(head(), (b"TRNS", b"\0" * 6), data(ROWS), END),
    "packing 1": png(head(packing=1), data(ROWS), END),
    "interlaced 3": png(head(interlaced=3), *parts_of(interlaced_png(8, 8, 8, 2))[1:]),
    "long head": png((b"IHDR", head()[1] + b"?"), data(ROWS), END),
    "a name of digits": png(head(), (b"1234", b""), data(ROWS), END),
    "half a colour": png(head(colour=3), (b"PLTE", bytes(20)), data(bytes(9 * 8)), END),
    "empty palette": png(head(), (b"PLTE", b""), data(ROWS), END),
    "no palette": png(head(colour=3), data(bytes(9 * 8)), END),
    "two heads": png(head(), head(), data(ROWS), END),
}


def bad_pictures() -> dict[str, bytes]:
    whole, small = jpeg(), picture(form="PNG")
    wrong_sum, wrong_end = (
        bytearray(small),
        bytearray(small),
    )  # Pillow's load() forgives
    wrong_sum[-14] ^= 1  # in the CRC of the last IDAT
    wrong_end[-2] ^= 1  # in the CRC of IEND
    bad = {f"cut{n}.jpg": whole[:n] for n in range(0, len(whole) - 1, 100)}
    return {
        **bad,
        "text.jpg": b"this is no picture",
        "page.png": b"<html></html>",
        "sum.png": bytes(wrong_sum),
        "end.png": bytes(wrong_end),
        "endless.png": small[:-12],
        "strip.jpg": picture(size=(1, 9000)),
        "line.png": picture(form="PNG", size=(2000, 9)),
        "rows.png": png(head(), data(ROWS + bytes(500)), END),
        **{f"{name}.png": lax for name, lax in LAX.items()},
        "wide.png": picture(form="PNG", size=(30000, 2), mode="1"),
        "zeros.jpg": bytes(5000),
        "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    }


def test_damaged_pictures_are_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "MAX_PIXELS", 50_000)
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args: os._exit(9))
    root = folder(tmp_path / "r")
    bad = bad_pictures()
    for name, data in bad.items():
        (root / "faces" / name).write_bytes(data)
    (root / "faces" / "dir.jpg").mkdir()
    names = {*bad, "dir.jpg"}
    if os.name != "nt":
        (root / "faces" / "loop.jpg").symlink_to("loop.jpg")
        (root / "faces" / "lost.jpg").symlink_to("nowhere.jpg")
        os.mkfifo(root / "faces" / "pipe.jpg")
        names |= {"loop.jpg", "lost.jpg", "pipe.jpg"}
    report = check_faces(root)
    assert report.count == 3
    assert set(report.damaged) == {f"faces/{name}" for name in names}
    assert {p.name for p in (root / "faces").iterdir()} == {"0.jpg", "1.jpg", "2.jpg"}
    for name, data in bad.items():
        assert (tmp_path / "r-damaged" / "faces" / name).read_bytes() == data
    # once more the same name: the first one is not overwritten
    (root / "faces" / "text.jpg").write_bytes(b"another")
    assert check_faces(root).damaged == ("faces/text.jpg",)
    aside = tmp_path / "r-damaged" / "faces"
    assert (aside / "text.jpg").read_bytes() == bad["text.jpg"]
    assert (aside / "text-1.jpg").read_bytes() == b"another"


def huge_pictures() -> dict[str, bytes]:
    """30,000 × 30,000 pixels: a true one in black, and a JPEG whose head says so."""
    rows = zlib.compress(bytes(30_000 * 3_751), 1)
    sizes = picture(size=(16, 12))
    place = sizes.index(b"\xff\xc0") + 5  # after the frame's mark: height, width
    claimed = sizes[:place] + struct.pack(">HH", 30_000, 30_000) + sizes[place + 4 :]
    true = png(head(30_000, 30_000, bits=1, colour=0), (b"IDAT", rows), END)
    return {"huge.png": true, "claims.jpg": claimed}


def test_pixel_limit_comes_before_decoding(tmp_path, monkeypatch):
    root = folder(tmp_path / "r", x_png=picture("1", (7100, 7100), "PNG"))
    for name, content in huge_pictures().items():
        (root / "faces" / name).write_bytes(content)
    loaded = []
    load = Image.Image.load
    monkeypatch.setattr(
        Image.Image, "load", lambda self: (loaded.append(self.size), load(self))[1]
    )
    names = ("faces/claims.jpg", "faces/huge.png", "faces/x.png")
    assert check_faces(root).damaged == names
    assert set(loaded) == {(16, 12)}


FILM = io.BytesIO()
Image.open(io.BytesIO(jpeg())).save(
    FILM, "PNG", save_all=True, append_images=[Image.new("RGB", (96, 96))], duration=99
)
KINDS = {  # file name: (bytes, is it rewritten?)
    "grey.jpg": (picture("L"), False),
    "cmyk.jpg": (picture("CMYK"), False),
    "progressive.jpg": (picture(progressive=True), False),
    "alpha.png": (picture("RGBA", form="PNG"), False),
    "palette.png": (picture("P", form="PNG"), False),
    "grey.png": (picture("L", form="PNG"), False),
    "bits.png": (picture("1", form="PNG"), False),
    "deep.png": (picture("I;16", form="PNG"), False),
    "really-png.jpg": (picture("RGBA", form="PNG"), False),
    "really-jpeg.png": (picture(), False),
    "really-gif.jpg": (picture("P", form="GIF"), True),
    "really-webp.jpg": (picture(form="WEBP"), True),
    "really-bmp.png": (picture(form="BMP"), True),
    "Mixed.Jpg": (picture(), True),
    "UPPER.JPG": (picture(), False),
    ".jpg": (picture(), True),
    "real.gif": (picture("P", form="GIF"), True),
    "real.webp": (picture(form="WEBP"), True),
    "real.BMP": (picture(form="BMP"), True),
    "real.tif": (picture("CMYK", form="TIFF"), True),
    "animated.png": (FILM.getvalue(), True),
}

TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Title", "a face" * 20, zip=True)
TEXT.add_itxt("Comment", "ein Gesicht")
MORE_KINDS = {
    "text.png": picture(form="PNG", pnginfo=TEXT, icc_profile=bytes(200)),
    "interlaced.png": interlaced_png(31, 17, 8, 2),
    "interlaced deep.png": interlaced_png(5, 11, 16, 6),
    "interlaced bits.png": interlaced_png(33, 3, 1, 0),
    "one pixel.png": picture(form="PNG", size=(1, 1)),
    "restarts.jpg": picture(restart_marker_blocks=1, size=(64, 64)),
    "profile.jpg": picture(icc_profile=bytes(500), dpi=(300, 300)),
    "a  b.jpg": picture(),
    "ü € 漢字.jpg": picture(),
    "new\nline.jpg": picture(),
    "%d%s'\".jpg": picture(),
}


def spoilt(content: bytes, chance: random.Random) -> bytes:
    """A picture with some bits flipped or bytes lost; every other PNG with right sums.

    Sums come out right where a program wrote nonsense, not where a disk lost bits.
    """
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.2:
        place = chance.randrange(len(changed))
        del changed[place : place + chance.randrange(1, 50)]
    if content.startswith(b"\x89PNG") and chance.random() < 0.5:
        parts = parts_of(content)
        number = chance.randrange(len(parts))
        kind, body = parts[number]
        if body:
            body = bytearray(body)
            body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            parts[number] = kind, bytes(body)
        elif chance.random() < 0.5:
            parts.insert(chance.randrange(len(parts)), (b"abCd", b"?"))
        return png(*parts)
    return bytes(changed)


PIPELINE = """
import sys
from dcgan_utils.device import choose_device
from dcgan_utils.pictures.decoded import decode_once, list_pictures
from dcgan_utils.taught.data import create_dataset
choose_device("cpu")
batches = create_dataset(sys.argv[1], 64, 1).create_tuple_iterator(num_epochs=1)
shapes = [batch.shape for (batch,) in batches]
assert set(shapes) == {(1, 3, 64, 64)}
decoded = decode_once(sys.argv[1], 64, sys.argv[2])
print("read", len(shapes), len(list_pictures(sys.argv[1])), len(decoded))
"""


@pytest.mark.filterwarnings("error")  # Pillow's warnings are no news for a student
def test_mindspore_reads_what_the_check_lets_through(tmp_path):
    """Thousands of all kinds, whole and damaged; then an epoch of what is left."""
    root = folder(tmp_path / "r")
    faces = root / "faces"
    sound = {name: content for name, (content, _) in KINDS.items()} | MORE_KINDS
    bad = bad_pictures()
    for name, content in {**sound, **bad}.items():
        (faces / name).write_bytes(content)
    (root / "labels.csv").write_text("file\n")
    (root / "notes.txt").write_text("mine")
    (faces / "dir.jpg").mkdir()
    (faces / "dir" / "deeper").mkdir(parents=True)
    (faces / "dir" / "deeper" / "bad.jpg").write_bytes(b"bad")
    (root / "empty class").mkdir()
    (root / "new\nclass").mkdir()
    (root / "new\nclass" / "1.jpg").write_bytes(picture())
    if os.name != "nt":
        with open(os.fsencode(faces) + b"/\xff\xfe.jpg", "wb") as file:
            file.write(picture())  # a name that is no text
        (faces / "loop.jpg").symlink_to("loop.jpg")
        (faces / "up").symlink_to("..")
        (root / "again").symlink_to(".")
        os.mkfifo(faces / "pipe.jpg")
    whole = jpeg()
    for i in range(0, len(whole), 7):  # flips that Pillow may or may not mind
        flipped = bytearray(whole)
        flipped[i] ^= 1 << i % 8
        (faces / f"flip{i}.jpg").write_bytes(flipped)
    chance = random.Random(5)
    for number in range(50):
        for name, content in sound.items():
            (faces / f"{number} of {name}").write_bytes(spoilt(content, chance))
    report = check_faces(root)
    damaged = {name.removeprefix("faces/") for name in report.damaged}
    assert damaged >= set(bad) | {"dir.jpg"}
    assert not damaged & set(sound)
    assert report.count > 500 and len(damaged) > 500
    answer = subprocess.run(
        [sys.executable, "-c", PIPELINE, str(root), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == f"read {' '.join([str(report.count)] * 3)}"


@pytest.mark.parametrize("name", LAX)
def test_pillow_alone_would_let_it_through(name):
    """Else the stricter look at PNG files would not be needed."""
    with Image.open(io.BytesIO(LAX[name])) as lax:
        lax.verify()
    with Image.open(io.BytesIO(LAX[name])) as lax:
        lax.load()


def test_files_that_must_not_be_read_are_set_aside():
    with public_folder() as top:
        root = folder(top / "r", x_jpg=picture())
        (root / "faces" / "x.jpg").chmod(0)
        for path in (top, root, root / "faces"):
            path.chmod(0o777)
        with nobody():
            assert check_faces(root).damaged == ("faces/x.jpg",)
        assert (top / "r-damaged" / "faces" / "x.jpg").exists()


def test_kinds_of_pictures(tmp_path):
    root = folder(tmp_path / "r")
    for name, (data, _) in KINDS.items():
        (root / "faces" / name).write_bytes(data)
    report = check_faces(root)
    assert report.damaged == () and report.count == 3 + len(KINDS)
    wanted = {name for name, (_, rewritten) in KINDS.items() if rewritten}
    assert set(report.converted) == {f"faces/{name}" for name in wanted}
    for name, (data, rewritten) in KINDS.items():
        path = root / "faces" / name
        if not rewritten:
            assert path.read_bytes() == data
            continue
        assert (tmp_path / "r-damaged" / "faces" / name).read_bytes() == data
        if path.suffix not in folder_module.PICTURES:
            path = path.with_name(name + ".jpg")
        with Image.open(path) as new, Image.open(io.BytesIO(data)) as old:
            assert (new.mode, new.size) == ("RGB", old.size)
            assert new.format == ("PNG" if path.suffix == ".png" else "JPEG")
            colours = [
                picture.convert("RGB").getpixel((8, 6)) for picture in (new, old)
            ]
            assert max(abs(a - b) for a, b in zip(*colours, strict=True)) < 40
    assert len(list((root / "faces").iterdir())) == report.count
    again = check_faces(root)
    assert again == report


def test_check_is_paid_once(tmp_path, monkeypatch):
    root = folder(tmp_path / "r", x_jpg=b"bad")
    first = check_faces(root)
    judged = []
    judge = folder_module._judge
    monkeypatch.setattr(
        folder_module, "_judge", lambda path: judged.append(path) or judge(path)
    )
    assert check_faces(root) == first and judged == []
    assert first.damaged == ("faces/x.jpg",)

    (root / "faces" / "new.jpg").write_bytes(picture())
    assert check_faces(root).count == 4 and len(judged) == 4
    os.utime(root / "faces" / "new.jpg", ns=(1, 1))
    check_faces(root)
    assert len(judged) == 8
    (root / "faces" / "new.jpg").write_bytes(b"damaged now")
    assert check_faces(root).damaged == ("faces/new.jpg",)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 1}', "\xff"])
def test_broken_memory_is_no_trouble(tmp_path, text):
    root = folder(tmp_path / "r")
    (root / "checked.json").write_text(text, encoding="latin-1")
    assert check_faces(root).count == 3


def test_memory_that_cannot_be_written_is_no_trouble(tmp_path):
    root = folder(tmp_path / "r")
    (root / "checked.json").mkdir()
    (root / "checked.json" / "0.jpg").write_bytes(picture())
    assert check_faces(root).count == 4
    assert not [p for p in root.iterdir() if p.is_file()]


def test_several_class_folders_and_strays(tmp_path):
    root = folder(tmp_path / "r", notes_txt=b"mine")
    shutil.copytree(root / "faces", root / "more")
    (root / "more" / "sub").mkdir()
    (root / "more" / "sub" / "1.jpg").write_bytes(picture())
    (root / "readme.md").write_text("mine")
    (root / "labels.csv").write_text("file\n")
    report = check_faces(root)
    assert report.count == 6 and report.damaged == ()
    assert report.ignored == (
        "faces/notes.txt",
        "more/notes.txt",
        "more/sub",
        "readme.md",
    )
    assert (root / "faces" / "notes.txt").exists()


def test_folder_problems(tmp_path):
    with pytest.raises(CourseError, match=r"There is no folder.*DCGAN_DATA_DIR"):
        check_faces(tmp_path / "none")
    with pytest.raises(CourseError, match="There are no pictures in"):
        check_faces(tmp_path)
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "notes.txt").write_text("mine")
    with pytest.raises(CourseError, match="There are no pictures in"):
        check_faces(tmp_path)
    (tmp_path / "7.jpg").write_bytes(picture())
    with pytest.raises(CourseError, match=r"7\.jpg.* no class folder.*folder inside"):
        check_faces(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="There is no folder"):
        check_faces(tmp_path / "file")


def test_no_good_picture_left(tmp_path):
    (tmp_path / "r" / "faces").mkdir(parents=True)
    (tmp_path / "r" / "faces" / "0.jpg").write_bytes(b"bad")
    with pytest.raises(CourseError, match=r"None of the 1 pictures.*r-damaged"):
        check_faces(tmp_path / "r")
    assert not (tmp_path / "r" / "checked.json").exists()


def test_damaged_picture_that_cannot_be_moved(tmp_path):
    root = folder(tmp_path / "r", x_jpg=b"bad")
    (tmp_path / "r-damaged").write_text("in the way")
    with pytest.raises(CourseError, match=r"cannot be moved.*yourself"):
        check_faces(root)
    assert (root / "faces" / "x.jpg").exists()
