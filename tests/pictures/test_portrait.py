import hashlib
from dataclasses import fields, replace

import numpy as np
import pytest

from dcgan_utils.pictures.portrait import drawing
from dcgan_utils.pictures.portrait.drawing import FaceLabels, draw_face, random_labels

PLAIN = FaceLabels(
    hair_colour="brown",
    hair_style="buns",
    eye_colour="blue",
    expression="smile",
    skin="fair",
    accessory="none",
    background="white",
    tilt=0.0,
)
ALLOWED = {
    "hair_colour": tuple(drawing.HAIR_COLOURS),
    "hair_style": drawing.HAIR_STYLES,
    "eye_colour": tuple(drawing.EYE_COLOURS),
    "expression": drawing.EXPRESSIONS,
    "skin": tuple(drawing.SKINS),
    "accessory": drawing.ACCESSORIES,
    "background": drawing.BACKGROUNDS,
}


def face(labels=PLAIN, seed=0, size=96):
    return draw_face(labels, np.random.default_rng(seed), size)


def test_same_seed_draws_the_same_bytes():
    assert face(seed=7).tobytes() == face(seed=7).tobytes()
    assert face(seed=7).tobytes() != face(seed=8).tobytes()


@pytest.mark.parametrize("size", [32, 64, 96, 130])
def test_mode_and_size(size):
    picture = face(size=size)
    assert picture.mode == "RGB"
    assert picture.size == (size, size)


def test_no_two_of_300_faces_are_alike():
    rng = np.random.default_rng(1)
    seen = {
        hashlib.sha1(draw_face(random_labels(rng), rng, 32).tobytes()).digest()
        for _ in range(300)
    }
    assert len(seen) == 300


def test_hair_colour_changes_the_hair_and_spares_the_face():
    for seed in range(4):
        one = np.asarray(face(seed=seed), dtype=float)
        two = np.asarray(face(replace(PLAIN, hair_colour="aqua"), seed), dtype=float)
        change = np.abs(one - two).mean(axis=2)
        assert change[4:14, 30:66].mean() > 20  # the crown
        assert change[32:52, 24:72].mean() < 12  # the eyes
        assert change[58:72, 40:56].max() < 1  # nose and mouth


def test_every_value_of_every_label_shows_and_uses_the_same_chance():
    left_over = set()
    for factor, values in ALLOWED.items():
        pictures = set()
        for value in values:
            rng = np.random.default_rng(3)
            labels = replace(PLAIN, **{factor: value})
            pictures.add(draw_face(labels, rng, 48).tobytes())
            left_over.add(rng.random())
        assert len(pictures) == len(values), factor  # no value is a silent no-op
    assert len(left_over) == 1


def test_unknown_label_names_the_allowed_ones():
    with pytest.raises(ValueError, match=r"hair_colour.*brown, black"):
        face(replace(PLAIN, hair_colour="plaid"))
    with pytest.raises(ValueError, match="at least 16"):
        face(size=4)


def test_random_labels_cover_every_value():
    rng = np.random.default_rng(5)
    drawn = [random_labels(rng) for _ in range(2000)]
    for factor, values in ALLOWED.items():
        assert {getattr(labels, factor) for labels in drawn} == set(values)
    tilts = np.array([labels.tilt for labels in drawn])
    assert tilts.min() >= -25
    assert tilts.max() <= 25
    assert tilts.std() > 5
    assert {field.name for field in fields(FaceLabels)} == {*ALLOWED, "tilt"}
