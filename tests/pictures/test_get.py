"""get_faces: the pictures of the settings, drawn or downloaded from loopback."""

import pytest
from rights import nobody, public_folder
from sample_files import folder, picture, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import get
from dcgan_utils.settings import Settings


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
