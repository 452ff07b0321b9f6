"""The encoder: labels that fit their pictures, features, answers, stored weights."""

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from dcgan_utils import CourseError
from dcgan_utils.pictures.encoder import (
    STORED,
    Encoder,
    accuracies,
    classify,
    encode,
    load_encoder,
    probabilities,
)
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.pictures.labels import ATTRIBUTES, labelled_faces
from dcgan_utils.pictures.portrait import FaceLabels, draw_face
from dcgan_utils.pictures.sample import draw_sample_faces
from tools.make_encoder import augment, save_encoder, train_encoder


@pytest.fixture(scope="module")
def faces_300(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled") / "d"
    return look_at_folder(draw_sample_faces(root, 300, seed=99), 64)


@pytest.fixture(scope="module")
def stored():
    return load_encoder()


# --- pictures and labels ----------------------------------------------------------


def test_labels_fit_their_pictures(faces_300):
    pictures, labels = labelled_faces(faces_300)
    assert pictures.shape == (300, 3, 64, 64)
    assert pictures.dtype == np.float32
    assert set(labels) == set(ATTRIBUTES)
    rows = (faces_300.root / "labels.csv").read_text().splitlines()[1:]
    # Not 0, 1, 2: by name, 10.jpg comes before 2.jpg.
    for i in (0, 2, 10, 100, 299):
        file = faces_300.root / rows[i].split(",")[0]
        want = np.asarray(Image.open(file).resize((64, 64)), np.float32) / 127.5 - 1
        assert np.abs(pictures[i].transpose(1, 2, 0) - want).mean() < 0.04
        assert labels["hair_colour"][i] == rows[i].split(",")[1]
        degrees = float(rows[i].split(",")[-1])
        side = "left" if degrees < -5 else "right" if degrees > 5 else "upright"
        assert labels["tilt"][i] == side


def test_every_label_is_a_value_of_its_attribute(faces_300):
    _, labels = labelled_faces(faces_300)
    for name, values in ATTRIBUTES.items():
        assert set(labels[name]) <= set(values), name


def test_limit_takes_the_first_ones(faces_300):
    pictures, labels = labelled_faces(faces_300)
    part, names = labelled_faces(faces_300, limit=5)
    np.testing.assert_array_equal(part, pictures[:5])
    assert names["skin"].tolist() == labels["skin"][:5].tolist()


def test_pictures_without_labels(faces_20):
    pictures, labels = labelled_faces(look_at_folder(faces_20, 64))
    assert pictures.shape == (20, 3, 64, 64)
    assert labels == {}
    with pytest.raises(CourseError, match="no labels"):
        train_encoder(look_at_folder(faces_20, 64))


# --- training ---------------------------------------------------------------------


def test_augmented_pictures_stay_pictures():
    rng = np.random.default_rng(1)
    pictures = rng.uniform(-1, 1, (200, 3, 64, 64)).astype(np.float32)
    pictures[:] = pictures.mean(axis=3, keepdims=True)
    seen, amounts = augment(pictures, rng)
    assert seen.shape == pictures.shape
    assert seen.dtype == amounts.dtype == np.float32
    assert np.abs(seen).max() <= 1
    assert (amounts >= 0).all() and (amounts <= 1).all()
    np.testing.assert_allclose((amounts == 0).mean(axis=0), 0.5, atol=0.12)
    # Each row was even; how uneven it became is the noise.
    uneven = seen[:, :, 8:-8, 8:-8].std(axis=3).mean(axis=(1, 2))
    assert np.corrcoef(uneven, amounts[:, 1])[0, 1] > 0.98


def test_training_learns_and_repeats(faces_300):
    encoder, right = train_encoder(faces_300, epochs=12, held_out=44)
    assert set(right) == set(ATTRIBUTES)
    assert right["hair_colour"] > 0.4  # always the most frequent one: about 0.2
    pictures, labels = labelled_faces(faces_300, limit=256)
    assert accuracies(encoder, pictures, labels)["hair_colour"] > 0.6
    again, _ = train_encoder(faces_300, epochs=1, held_out=44)
    third, _ = train_encoder(faces_300, epochs=1, held_out=44)
    np.testing.assert_array_equal(
        encode(again, pictures[:8]), encode(third, pictures[:8])
    )


def test_eye_colour_is_judged_where_it_shows(faces_300, monkeypatch):
    pictures, labels = labelled_faces(faces_300)
    closed = labels["expression"] == "closed eyes"
    assert 0 < closed.sum() < 60
    answers = {name: values.copy() for name, values in labels.items()}
    answers["eye_colour"][closed] = "unknown"
    monkeypatch.setattr("dcgan_utils.pictures.encoder.classify", lambda *_: answers)
    assert accuracies(None, pictures, labels) == dict.fromkeys(ATTRIBUTES, 1.0)


def test_too_few_faces_get_a_sentence(faces_300):
    with pytest.raises(CourseError, match="draw more sample faces"):
        train_encoder(faces_300, held_out=290)


# --- the stored encoder -----------------------------------------------------------


def test_stored_weights_are_small_and_say_what_they_are():
    from dcgan_utils.settings import course_root

    folder = course_root() / "weights" / "encoder"
    assert (folder / STORED).stat().st_size < 1_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "python tools/make_encoder.py" in card
    for name in ATTRIBUTES:
        assert f"| {name} |" in card


def test_stored_encoder_keeps_its_cards_promise(stored, faces_300):
    from dcgan_utils.settings import course_root

    right = accuracies(stored, *labelled_faces(faces_300))
    card = (course_root() / "weights" / "encoder" / "README.md").read_text("utf-8")
    for line in card.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 4 and cells[1] in ATTRIBUTES:
            promised = float(cells[3].rstrip("%")) / 100
            spread = (promised * (1 - promised) / 300 + promised / 512) ** 0.5 + 0.01
            assert abs(right[cells[1]] - promised) < 4 * spread, cells[1]
    assert right["hair_colour"] > 0.97
    assert right["eye_colour"] > 0.9


def test_features_do_not_depend_on_the_neighbours(stored, faces_300):
    pictures, _ = labelled_faces(faces_300)
    together = encode(stored, pictures)
    assert together.shape == (300, 64)
    assert together.dtype == np.float32
    np.testing.assert_allclose(encode(stored, pictures[256:258]), together[256:258],
                               atol=1e-4)  # fmt: skip
    np.testing.assert_allclose(encode(stored, pictures[:1]), together[:1], atol=1e-4)


def test_asking_does_not_change_the_encoder(stored, faces_300):
    before = [p.asnumpy().copy() for p in stored.get_parameters()]
    stored.set_train(True)
    encode(stored, labelled_faces(faces_300, 64)[0])
    assert stored.training
    stored.set_train(False)
    for p, old in zip(stored.get_parameters(), before):
        np.testing.assert_array_equal(p.asnumpy(), old)


def test_classify_names_the_most_probable_value(stored, faces_300):
    pictures, _ = labelled_faces(faces_300, 32)
    found, shares = classify(stored, pictures), probabilities(stored, pictures)
    for name, values in ATTRIBUTES.items():
        assert shares[name].shape == (32, len(values))
        np.testing.assert_allclose(shares[name].sum(axis=1), 1, atol=1e-5)
        assert found[name].tolist() == [values[i] for i in shares[name].argmax(axis=1)]


def test_labels_follow_the_face(stored):
    def face(**changed):
        labels = {"hair_colour": "brown", "hair_style": "long", "eye_colour": "green",
                  "expression": "neutral", "skin": "fair", "accessory": "none",
                  "background": "white", "tilt": 0.0, **changed}  # fmt: skip
        picture = draw_face(FaceLabels(**labels), np.random.default_rng(8), 64)
        return np.asarray(picture, np.float32).transpose(2, 0, 1) / 127.5 - 1

    changes = [{}, {"hair_colour": "pink"}, {"eye_colour": "red"}, {"tilt": 18.0},
               {"tilt": -18.0}]  # fmt: skip
    found = classify(stored, np.stack([face(**change) for change in changes]))
    assert found["hair_colour"].tolist() == ["brown", "pink", "brown", "brown", "brown"]
    assert found["eye_colour"].tolist()[:3] == ["green", "green", "red"]
    assert found["tilt"].tolist() == ["upright", "upright", "upright", "right", "left"]


def test_a_metric_in_its_features_sees_blur_and_noise(stored, faces_300):
    from scipy.ndimage import gaussian_filter

    from dcgan_utils.taught.evaluation import kid

    pictures, _ = labelled_faces(faces_300)
    real, other = pictures[:150], pictures[150:]
    noise = np.random.default_rng(1).standard_normal(other.shape, np.float32)
    series = (
        [other, *(gaussian_filter(other, (0, 0, s, s)) for s in (0.7, 1.4))],
        [other, *(np.clip(other + s * noise, -1, 1) for s in (0.07, 0.15))],
    )
    for damaged in series:
        values = [kid(encode(stored, real), encode(stored, d)) for d in damaged]
        assert values[0] + 0.03 < values[1] < values[2] - 0.03


def test_other_sides_are_resized(stored, faces_300):
    pictures, _ = labelled_faces(faces_300, 32)
    small = pictures.reshape(32, 3, 32, 2, 32, 2).mean(axis=(3, 5))
    same = (
        classify(stored, pictures)["hair_colour"]
        == (classify(stored, small)["hair_colour"])
    )
    assert same.mean() > 0.9


def test_save_and_load(tmp_path):
    encoder = Encoder()
    encoder.set_train(False)
    path = save_encoder(encoder, "a card", tmp_path / "new")
    assert sorted(p.name for p in path.parent.iterdir()) == ["README.md", STORED]
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, 3, 64, 64))
    np.testing.assert_array_equal(
        encode(load_encoder(tmp_path / "new"), pictures), encode(encoder, pictures)
    )


@pytest.mark.parametrize("damage", ["missing", "cut", "another network", "a part"])
def test_no_usable_weights_get_a_sentence(tmp_path, damage):
    if damage != "missing":
        path = save_encoder(Encoder(), "a card", tmp_path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    if damage == "another network":
        ms.save_checkpoint(Encoder(maps=8), str(path), crc_check=True)
    if damage == "a part":
        parts = [{"name": p.name, "data": p} for p in Encoder().get_parameters()]
        ms.save_checkpoint(parts[1:], str(path), crc_check=True)
    with pytest.raises(CourseError, match=r"python tools/make_encoder\.py"):
        load_encoder(tmp_path)
