"""labels.py: which faces have these labels, and which are held out."""

import numpy as np
import pytest

from dcgan_utils import CourseError
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.pictures.labels import having, hold_out, labelled_faces
from dcgan_utils.pictures.sample import draw_sample_faces
from dcgan_utils.settings import load_settings

LABELS = {
    "hair_colour": np.array(["blue", "brown", "blue"]),
    "tilt": np.array(["left", "left", "right"]),
}


def test_having_wants_all_labels_at_once():
    assert having(LABELS, hair_colour="blue").tolist() == [True, False, True]
    both = having(LABELS, hair_colour="blue", tilt="left")
    assert both.tolist() == [True, False, False]
    assert not having(LABELS, hair_colour="aqua").any()


def test_a_label_that_does_not_exist_is_named_with_the_way_out():
    with pytest.raises(CourseError, match=r"'Blue'.* one of brown, .*blue"):
        having(LABELS, hair_colour="Blue")
    with pytest.raises(CourseError, match=r"the attributes are hair_colour, "):
        having(LABELS, hair="blue")


def test_new_sample_faces_are_held_out_and_stay_the_same():
    settings = load_settings(data="sample", face_count=12)
    faces = look_at_folder(draw_sample_faces(settings.data_dir, 12), 64)
    trained, held_out = hold_out(settings, faces, 12)
    assert trained is faces and len(held_out) == 12
    gaps = np.abs(labelled_faces(held_out)[0][:, None] - labelled_faces(faces)[0])
    assert gaps.mean(axis=(2, 3, 4)).min() > 0.05
    again = hold_out(settings, faces, 12)[1]
    assert again.fingerprint() == held_out.fingerprint()


@pytest.mark.parametrize(("count", "there"), [(5, 5), (1000, 10)])
def test_other_pictures_are_parted_by_lot_and_a_line_says_so(
    faces_20, capsys, count, there
):
    faces = look_at_folder(faces_20, 16)
    parts = hold_out(load_settings(data=str(faces_20)), faces, count)
    assert f"Held out are {there} of these" in capsys.readouterr().out
    assert [len(part) for part in parts] == [20 - there, there]
    names = [name for part in parts for name in part.names]
    assert sorted(names) == faces.names != names
    for part in parts:
        numbers = [faces.names.index(name) for name in part.names]
        pictures, labels = labelled_faces(part)
        np.testing.assert_array_equal(pictures, labelled_faces(faces)[0][numbers])
        assert labels == {}


def test_labels_go_with_the_pictures_that_are_left(tmp_path):
    """The table names pictures that are held out, too."""
    faces = look_at_folder(draw_sample_faces(tmp_path / "faces", 8), 16)
    pictures, labels = labelled_faces(faces)
    for part in hold_out(load_settings(data=str(faces.root)), faces, 3):
        rows = sorted(faces.names.index(name) for name in part.names)
        found, names = labelled_faces(part)
        np.testing.assert_array_equal(found, pictures[rows])
        assert names["skin"].tolist() == labels["skin"][rows].tolist()
