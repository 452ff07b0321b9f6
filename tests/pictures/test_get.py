"""get_faces: pictures that are drawn, downloaded from loopback, or there already."""

import pytest
from rights import nobody, public_folder
from sample_files import folder, picture, tree

from dcgan_utils import CourseError
from dcgan_utils.pictures import get
from dcgan_utils.pictures.get import get_faces
from dcgan_utils.settings import Settings, load_settings

FEW = {"batch_size": 2, "image_size": 16}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sample_faces(home, capsys, monkeypatch):
    monkeypatch.setattr(get, "download_faces", None)
    faces = get_faces(Settings(data="sample", face_count=4, **FEW))
    assert faces.root == home / "sample-4" and len(faces) == 4
    assert capsys.readouterr().out == "4 pictures in sample-4\n"


def test_a_damaged_sample_face_is_drawn_anew(home):
    settings = Settings(data="sample", face_count=3, **FEW)
    face = get_faces(settings).root / "faces" / "1.jpg"
    drawn = face.read_bytes()
    face.write_bytes(drawn[:200])
    (home / "sample-3" / "mine.png").write_bytes(picture(form="PNG"))
    (home / "sample-3" / "faces" / "notes.txt").write_text("mine")
    kept = tree(home / "sample-3")
    assert len(get_faces(settings)) == 3 and face.read_bytes() == drawn
    assert tree(home / "sample-3") == kept


def test_a_damaged_sample_face_that_may_only_be_read_is_left_out(monkeypatch):
    with public_folder() as top:
        monkeypatch.setenv("DCGAN_DATA_DIR", str(top))
        settings = Settings(data="sample", face_count=3, **FEW)
        face = get_faces(settings).root / "faces" / "1.jpg"
        face.write_bytes(face.read_bytes()[:200])
        with nobody():
            faces = get_faces(settings)
        assert len(faces) == 2 and faces.left_out == {"faces/1.jpg": "damaged"}


def test_anime_faces(home, server, capsys, monkeypatch):
    monkeypatch.setenv("DCGAN_URL", server.url)
    monkeypatch.setattr(get, "draw_sample_faces", None)
    faces, asked = get_faces(Settings(**FEW)), server.requests
    assert faces.root == home / "anime" and len(faces) == 3 and asked > 0
    (faces.root / "faces" / "bad.jpg").write_bytes(b"bad")
    capsys.readouterr()
    get_faces(Settings(**FEW))
    assert server.requests == asked
    line = "3 pictures in anime; not used: 1 damaged (faces/bad.jpg)\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("inside", ["faces/0.jpg", "images/0.jpg", "0.jpg"])
def test_anime_faces_that_lie_there_already(home, server, monkeypatch, inside):
    monkeypatch.setenv("DCGAN_URL", server.url)
    path = home / "anime" / inside
    path.parent.mkdir(parents=True)
    for name in (path.name, "1.jpg"):
        path.with_name(name).write_bytes(picture())
    assert len(get_faces(Settings(**FEW))) == 2 and server.requests == 0


def test_anime_faces_are_never_drawn(home, server, monkeypatch):
    server.mode = "404"
    monkeypatch.setenv("DCGAN_URL", server.url)
    monkeypatch.setattr(get, "draw_sample_faces", None)
    with pytest.raises(CourseError, match="set DCGAN_DATA=sample"):
        get_faces(Settings())
    assert tree(home) == []


def test_a_folder_of_ones_own(home, monkeypatch, capsys):
    folder(home / "flowers")
    monkeypatch.setenv("DCGAN_DATA", "flowers")
    settings = load_settings(batch_size=2)
    assert len(get_faces(settings)) == 3
    assert capsys.readouterr().out.startswith("3 pictures in flowers")
    assert settings.run_dir.name == "class-folder-flowers"


def test_fewer_than_one_batch(home):
    folder(home / "few")
    with pytest.raises(CourseError, match=r"3 usable pictures, fewer .* batch of 16"):
        get_faces(load_settings(data="few"))


@pytest.mark.parametrize("out", ["flowers", "flowers/run", "flowers/a/b"])
def test_results_among_the_pictures_are_refused(home, out):
    folder(home / "flowers")
    before = tree(home)
    settings = load_settings(data="flowers", out=str(home / out))
    with pytest.raises(CourseError, match="The results would go to"):
        get_faces(settings)
    assert tree(home) == before


@pytest.mark.parametrize("closed", [".", "anime", "anime/faces"])
def test_faces_that_may_not_be_read(home, monkeypatch, closed):
    """Such as those of a teacher who forgot that the class must read them."""
    with public_folder() as top:
        folder(top / "anime")
        monkeypatch.setenv("DCGAN_DATA_DIR", str(top))
        (top / closed).chmod(0)
        with nobody(), pytest.raises(CourseError) as error:
            get_faces(Settings(**FEW))
        (top / closed).chmod(0o755)
    assert "Permission denied" in str(error.value) and "\n" not in str(error.value)
