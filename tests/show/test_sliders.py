"""sliders.py: each slider moves its own face along its own direction."""

import io

import numpy as np
import pytest
from PIL import Image
from samples import lively_generator

from dcgan_utils import CourseError
from dcgan_utils.show.sliders import LatentSliders
from dcgan_utils.taught.latent_space import move, onto_shell


@pytest.fixture
def sliders():
    directions = {"one": np.eye(20)[0], "two": np.eye(20)[1]}
    z = np.random.default_rng(21).standard_normal((3, 20))
    return LatentSliders(lively_generator(32), directions, z)


def test_a_slider_moves_its_own_face_along_its_own_direction(sliders):
    still, moved = sliders.noise(1), sliders.noise(1, {"one": 3.0, "two": 0.0})
    assert np.allclose(still, onto_shell(sliders.z[1:2]))
    assert np.allclose(moved, move(sliders.z[1:2], np.eye(20)[0], 3.0))


def test_moving_a_slider_draws_another_picture(sliders):
    box = sliders.build()
    image, (face, one, two, reset) = box.children[0], box.children[1].children
    first = image.value
    assert Image.open(io.BytesIO(first)).size == (320, 320)
    one.value = 4.0
    assert image.value == sliders.picture(0, {"one": 4.0}) != first
    face.value, two.value = 2, -1.5
    assert image.value == sliders.picture(2, {"one": 4.0, "two": -1.5})
    reset.click()
    assert (one.value, two.value) == (0, 0)
    assert image.value == sliders.picture(2)


def test_a_program_gets_a_sentence_and_a_notebook_the_sliders(
    sliders, monkeypatch, capsys
):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    sliders.show()
    assert shown == [] and "sliders.show(live=True)" in capsys.readouterr().out
    sliders.show(live=True)
    monkeypatch.setenv("JPY_SESSION_NAME", "05_latent_space.ipynb")
    sliders.show()
    sliders.show(live=False)
    assert [type(box).__name__ for box in shown] == ["HBox", "HBox"]


@pytest.mark.parametrize(("directions", "count"), [({}, 1), ({"one": 1}, 0)])
def test_sliders_need_a_direction_and_a_face(directions, count):
    with pytest.raises(CourseError, match="at least one direction and one face"):
        LatentSliders(None, directions, np.ones((count, 16)))
