"""damage.py: what MindSpore cannot read is found, set aside or rewritten."""

import io
import os
import shutil
import subprocess
import sys

import pytest
from pictures import folder, picture, tree
from PIL import EpsImagePlugin, Image

from dcgan_utils import CourseError, damage
from dcgan_utils.damage import FaceReport, check_faces


def test_check_good_pictures(tmp_path):
    root = folder(tmp_path / "r", x_png=picture(form="PNG"), y_JPEG=picture())
    assert check_faces(root) == FaceReport(root, 5, (), ())
    assert tree(tmp_path)[:2] == ["r", "r/checked.json"]
    assert not (tmp_path / "r-damaged").exists()


def jpeg() -> bytes:
    return picture(size=(96, 96), quality=90)


def bad_pictures() -> dict[str, bytes]:
    whole, png = jpeg(), picture(form="PNG")
    wrong_sum, wrong_end = bytearray(png), bytearray(png)  # Pillow's load() forgives
    wrong_sum[-14] ^= 1  # in the CRC of the last IDAT
    wrong_end[-2] ^= 1  # in the CRC of IEND
    bad = {f"cut{n}.jpg": whole[:n] for n in range(0, len(whole) - 1, 100)}
    return {
        **bad,
        "text.jpg": b"this is no picture",
        "page.png": b"<html></html>",
        "sum.png": bytes(wrong_sum),
        "end.png": bytes(wrong_end),
        "endless.png": png[:-12],
        "wide.png": picture(form="PNG", size=(30000, 2), mode="1"),
        "zeros.jpg": bytes(5000),
        "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    }


def test_damaged_pictures_are_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(damage, "MAX_PIXELS", 50_000)
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


def test_pixel_limit_comes_before_decoding(tmp_path, monkeypatch):
    root = folder(tmp_path / "r", x_png=picture("1", (7100, 7100), "PNG"))
    loaded = []
    load = Image.Image.load
    monkeypatch.setattr(
        Image.Image, "load", lambda self: (loaded.append(self.size), load(self))[1]
    )
    assert check_faces(root).damaged == ("faces/x.png",)
    assert (7100, 7100) not in loaded


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
    "real.gif": (picture("P", form="GIF"), True),
    "real.webp": (picture(form="WEBP"), True),
    "real.BMP": (picture(form="BMP"), True),
    "real.tif": (picture("CMYK", form="TIFF"), True),
}

PIPELINE = """
import sys
import mindspore.dataset as ds
from mindspore.dataset import vision
data = ds.ImageFolderDataset(
    sys.argv[1], shuffle=False, num_parallel_workers=2,
    extensions=[".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"],
)
data = data.map([vision.Decode(), vision.Resize((8, 8))], "image")
means = [x["image"].mean() for x in data.create_dict_iterator(1, output_numpy=True)]
for row in data.create_dict_iterator(num_epochs=1, output_numpy=True):
    assert row["image"].shape == (8, 8, 3), row["image"].shape
print("read", len(means), "darkest", min(means), "brightest", max(means))
"""


def test_mindspore_reads_what_the_check_lets_through(tmp_path):
    root = folder(tmp_path / "r")
    for name, (data, _) in KINDS.items():
        (root / "faces" / name).write_bytes(data)
    for name, data in bad_pictures().items():
        (root / "faces" / name).write_bytes(data)
    (root / "labels.csv").write_text("file\n")
    (root / "notes.txt").write_text("mine")
    (root / "faces" / "dir.jpg").mkdir()
    (root / "empty class").mkdir()
    whole = jpeg()
    for i in range(0, len(whole), 7):  # flips that Pillow may or may not mind
        flipped = bytearray(whole)
        flipped[i] ^= 1 << i % 8
        (root / "faces" / f"flip{i}.jpg").write_bytes(flipped)
    report = check_faces(root)
    assert report.count >= 3 + len(KINDS)
    answer = subprocess.run(
        [sys.executable, "-c", PIPELINE, str(root)], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"read {report.count} ")


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
        if path.suffix not in damage.PICTURES:
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
    judge = damage._judge
    monkeypatch.setattr(
        damage, "_judge", lambda path: judged.append(path) or judge(path)
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
