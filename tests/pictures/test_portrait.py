from dataclasses import fields, replace

import numpy as np
import pytest

from dcgan_utils.pictures.portrait import (
    LABEL_VALUES,
    FaceLabels,
    draw_face,
    random_labels,
)

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
    faces = {draw_face(random_labels(rng), rng, 32).tobytes() for _ in range(300)}
    assert len(faces) == 300


def test_hair_colour_changes_the_hair_and_spares_the_face():
    for seed in range(4):
        one = np.asarray(face(seed=seed), dtype=float)
        two = np.asarray(face(replace(PLAIN, hair_colour="aqua"), seed), dtype=float)
        change = np.abs(one - two).mean(axis=2)
        assert change[4:14, 30:66].mean() > 20  # the crown
        assert change[32:52, 24:72].mean() < 12  # the eyes
        assert change[58:72, 40:56].max() < 1  # nose and mouth


@pytest.mark.parametrize("label", LABEL_VALUES)
def test_every_value_of_a_label_shows_and_uses_the_same_chance(label):
    pictures, left_over = set(), set()
    for value in LABEL_VALUES[label]:
        rng = np.random.default_rng(3)
        pictures.add(draw_face(replace(PLAIN, **{label: value}), rng, 48).tobytes())
        left_over.add(rng.random())
    assert len(pictures) == len(LABEL_VALUES[label])  # no value is a silent no-op
    assert len(left_over) == 1


def test_random_labels_cover_every_value():
    rng = np.random.default_rng(5)
    drawn = [random_labels(rng) for _ in range(2000)]
    for label, values in LABEL_VALUES.items():
        assert {getattr(labels, label) for labels in drawn} == set(values)
    tilts = np.array([labels.tilt for labels in drawn])
    assert np.abs(tilts).max() <= 25
    assert tilts.std() > 5
    assert [field.name for field in fields(FaceLabels)] == [*LABEL_VALUES, "tilt"]
