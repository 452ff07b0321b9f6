"""draw_sample_faces and make_stand_in."""

import csv
import io
import os
import shutil
import signal
import sys
import time
from dataclasses import fields
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest
from PIL import Image
from sample_files import folder, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import sample
from dcgan_utils.pictures.portrait import FaceLabels, draw_face, random_labels
from dcgan_utils.pictures.sample import draw_sample_faces, make_stand_in


def contents(root) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in tree(root) if "." in name}


def test_layout_and_labels(tmp_path):
    root = draw_sample_faces(tmp_path / "s", 5)
    faces = [f"faces/{i}.jpg" for i in range(5)]
    assert tree(root) == ["drawn-by.txt", "faces", *faces, "labels.csv"]
    with Image.open(root / "faces" / "4.jpg") as face:
        assert (face.format, face.mode, face.size) == ("JPEG", "RGB", (96, 96))
    rows = list(csv.DictReader((root / "labels.csv").open(encoding="utf-8")))
    assert [row["file"] for row in rows] == faces
    assert list(rows[0])[1:] == [field.name for field in fields(FaceLabels)]
    assert all(abs(float(row["tilt"])) <= 90 for row in rows)
    assert len({row["hair_colour"] + row["hair_style"] for row in rows}) > 1


def test_a_face_depends_on_seed_and_number_only(tmp_path):
    many = contents(draw_sample_faces(tmp_path / "a", 4))
    few = contents(draw_sample_faces(tmp_path / "b", 3))
    other = contents(draw_sample_faces(tmp_path / "c", 3, seed=2))
    rng, wanted = np.random.default_rng([1, 2]), io.BytesIO()
    draw_face(random_labels(rng), rng, size=96).save(wanted, "JPEG", quality=95)
    assert many["faces/2.jpg"] == wanted.getvalue()
    for name in [f"faces/{i}.jpg" for i in range(3)]:
        assert many[name] == few[name] != other[name]


def test_several_processes_draw_the_same_bytes(tmp_path, monkeypatch):
    alone = contents(draw_sample_faces(tmp_path / "alone", 6))
    monkeypatch.setattr(sample, "FEW_FACES", 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with monkeypatch.context() as patch:
        patch.setattr(sample, "draw_face", None)  # in this process
        assert contents(draw_sample_faces(tmp_path / "together", 6)) == alone
    # What they leave is drawn here.
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert contents(draw_sample_faces(tmp_path / "left", 6)) == alone


def test_only_what_is_missing_is_drawn(tmp_path, monkeypatch):
    root = draw_sample_faces(tmp_path / "s", 3)
    before = contents(root)
    (root / "faces/2.jpg").unlink()
    (root / "faces/0.jpg").write_bytes(b"kept")
    draw_sample_faces(root, 3)
    assert contents(root) == before | {"faces/0.jpg": b"kept"}
    monkeypatch.setattr(sample, "whole_folder", None)
    draw_sample_faces(root, 3)


@pytest.mark.parametrize(
    "name, count, seed, version",
    [("mine", 3, 1, 1), ("s", 2, 2, 1), ("s", 3, 1, 1), ("s", 2, 1, 0)],
)
def test_never_mixed_with_other_pictures(
    tmp_path, monkeypatch, name, count, seed, version
):
    folder(tmp_path / "mine")
    draw_sample_faces(tmp_path / "s", 2)
    before = contents(tmp_path)
    monkeypatch.setattr(sample, "DRAWER", f"drawing.py {version}")
    with pytest.raises(CourseError, match=r"other pictures than.*DCGAN_DATA_DIR"):
        draw_sample_faces(tmp_path / name, count, seed)
    assert contents(tmp_path) == before


def test_failed_drawing_leaves_nothing(tmp_path, monkeypatch):
    def full(labels, rng, size):
        if list(tmp_path.rglob("0.jpg")):
            raise OSError(28, "No space left on device")
        return draw_face(labels, rng, size)

    monkeypatch.setattr(sample, "draw_face", full)
    with pytest.raises(CourseError, match=r"No space left.*DCGAN_DATA_DIR"):
        draw_sample_faces(tmp_path / "s", 5)
    assert tree(tmp_path) == []


# As students write it: nothing keeps a second process from running it, too.
SCRIPT = """
import sys
from pathlib import Path
from dcgan_utils.pictures import sample
sample.FEW_FACES, sample.os.cpu_count = 4, lambda: 2
try:
    sample.draw_sample_faces(Path(sys.argv[1]), int(sys.argv[2]))
except KeyboardInterrupt:
    print("interrupted")
"""


# Ctrl-C reaches all processes; a notebook's interrupt the first one only.
@pytest.mark.parametrize("interrupt", [None, "killpg", "kill"])
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_script_draws_with_processes(tmp_path, interrupt):
    count = 4000 if interrupt else 6
    (tmp_path / "draw.py").write_text(SCRIPT)
    process = Popen(
        [sys.executable, tmp_path / "draw.py", tmp_path / "data" / "s", str(count)],
        stdout=PIPE, stderr=PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    if interrupt:
        while not list(tmp_path.rglob("*.jpg")):
            assert process.poll() is None
            time.sleep(0.05)
        getattr(os, interrupt)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.endswith("interrupted\n" if interrupt else "") and "Traceback" not in err
    assert len(contents(tmp_path / "data")) == (0 if interrupt else count + 2)
    with pytest.raises(ProcessLookupError):
        for _ in range(200):
            os.killpg(process.pid, 0)  # no process is left, at last
            time.sleep(0.05)


def test_stand_in(tmp_path):
    faces = draw_sample_faces(tmp_path / "s", 6)
    train = make_stand_in(faces, tmp_path / "photos")
    rows = csv.DictReader((faces / "labels.csv").open(encoding="utf-8"))
    names = [f"{row['hair_colour']}/{i}.JPEG" for i, row in enumerate(rows)]
    drawn = [(faces / f"faces/{i}.jpg").read_bytes() for i in range(6)]
    assert contents(tmp_path / "photos" / "train") == dict(zip(names, drawn))
    assert make_stand_in(faces, tmp_path / "photos") == train
    (train / names[0]).rename(train / names[0].replace("0.", "9."))
    with pytest.raises(CourseError, match="holds other files"):
        make_stand_in(faces, tmp_path / "photos")
