"""Checkpoints: whole files or none, two kept, damage found, errors as sentences."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from rights import nobody, public_folder
from small_runs import TINY, full_disk

from dcgan_utils import CourseError
from dcgan_utils.pictures.folder import Pictures
from dcgan_utils.taught.training import make_average_step, make_train_step
from dcgan_utils.training.checkpoint import (
    DamagedCheckpoint,
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
    refuse_changes,
    restore,
    save_checkpoint,
)
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import step_noise


def parameters(value=1.0, shape=(20, 30)):
    weight = ms.Parameter(np.full(shape, value, np.float32), name="weight")
    return [weight, ms.Parameter(np.array([7], np.int32), name="count")]


def save(folder, steps, value=1.0):
    history = np.broadcast_to(np.float32([0.1, 0.2]), (steps, 2))
    return save_checkpoint(folder, parameters(value), history, TINY, 20)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- written --------------------------------------------------------------------------


def test_what_is_saved_comes_back(tmp_path):
    path = save(tmp_path / "new" / "run", 5, value=0.1)
    assert path == tmp_path / "new" / "run" / "step-0000005.ckpt"
    assert names(path.parent) == ["step-0000005.ckpt"]
    saved = read_checkpoint(path)
    assert saved["settings"] == TINY
    assert (saved["pictures"], saved["fingerprint"]) == (20, "none")
    assert saved["history"].tolist() == [[np.float32(0.1), np.float32(0.2)]] * 5
    empty = parameters(0)
    restore(saved, empty)
    assert (empty[0].asnumpy() == np.float32(0.1)).all()
    assert empty[1].asnumpy().tolist() == [7]
    assert [p.dtype for p in empty] == [ms.float32, ms.int32]


def test_the_last_two_are_kept_and_the_same_step_is_replaced(tmp_path):
    for steps in (8, 9, 10, 11):
        save(tmp_path, steps)
    save(tmp_path, 11, value=2)
    assert names(tmp_path) == ["step-0000010.ckpt", "step-0000011.ckpt"]
    assert newest_checkpoint(tmp_path)["weight"].asnumpy()[0, 0] == 2


@pytest.mark.parametrize("kind", [OSError, RuntimeError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("ending", [".ckpt", ".tmp"])  # MindSpore writes to its own
def test_a_save_that_fails_leaves_the_last_one_and_no_rubbish(
    tmp_path, monkeypatch, kind, ending
):
    def stop_in_the_middle(entries, name, **options):
        with open(name.replace(".ckpt", ending), "wb") as file:
            file.write(b"half")
        raise kind("No space left on device")

    save(tmp_path, 1)
    monkeypatch.setattr(ms, "save_checkpoint", stop_in_the_middle)
    with pytest.raises((CourseError, KeyboardInterrupt), match="No space left on dev"):
        save(tmp_path, 2)
    assert names(tmp_path) == ["step-0000001.ckpt"]
    assert len(newest_checkpoint(tmp_path)["history"]) == 1


def test_a_disk_that_is_full_gives_a_sentence(tmp_path):
    save(tmp_path, 1)
    told = rf"could not be saved in {tmp_path} .*make room.*; it goes on"
    with pytest.raises(CourseError, match=told), full_disk(1024):
        save(tmp_path, 2)
    assert names(tmp_path) == ["step-0000001.ckpt"]


def test_numbers_that_are_not_finite_are_not_saved(tmp_path):
    save(tmp_path, 1)
    for bad in (np.nan, np.inf):
        with pytest.raises(CourseError, match=r"After step 2, weight .*fresh=True"):
            save(tmp_path, 2, value=bad)
    assert names(tmp_path) == ["step-0000001.ckpt"]


def test_files_of_others_are_no_checkpoints_and_stay(tmp_path):
    mine = ["step-best.ckpt", "step-3.ckpt", "step-9999999.txt", "writing-notes.txt"]
    for name in mine:
        (tmp_path / name).write_bytes(b"something else")
    (tmp_path / "step-0000007.ckpt").mkdir()
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert newest_checkpoint(folder) is None
    with pytest.raises(CourseError, match=r"There is no checkpoint.*lesson 03"):
        read_checkpoint(tmp_path / "step-0000001.ckpt")
    with pytest.raises(CourseError, match="could not be saved"):
        save(tmp_path, 7)  # a folder has its name
    save(tmp_path, 1)
    assert names(tmp_path) == sorted([*mine, "step-0000001.ckpt", "step-0000007.ckpt"])


def test_the_newest_is_the_one_of_most_steps(tmp_path):
    steps = [tmp_path / f"step-{n}.ckpt" for n in ("0000012", "9999999", "10000000")]
    for path in steps[::-1]:
        path.touch()
    assert list_checkpoints(tmp_path) == steps


# --- read ---------------------------------------------------------------------------


def test_without_the_rights_there_is_a_sentence_and_no_damage():
    """What cannot be read is no damage: else training would delete it."""
    with public_folder() as folder:
        save(folder, 1)
        newest = save(folder, 2)
        folder.chmod(0o555)
        with nobody():
            denied = r"\(Permission denied\).*make the folder"
            with pytest.raises(CourseError, match=denied):
                save(folder, 3)
            assert len(newest_checkpoint(folder)["history"]) == 2
        newest.chmod(0)
        denied = pytest.raises(CourseError, match=r"cannot be read \(Permission den")
        with nobody(), denied as error:
            newest_checkpoint(folder)
        assert error.type is CourseError


@pytest.mark.parametrize("kind", [MemoryError, ValueError])
def test_a_sound_one_that_cannot_be_loaded_is_no_damage(tmp_path, monkeypatch, kind):
    """MindSpore makes a ValueError of all that happens there, of a Ctrl-C as well."""

    def load(path):
        raise kind("not enough memory\n - C++ call stack")

    save(tmp_path, 1)
    monkeypatch.setattr(ms, "load_checkpoint", load)
    with pytest.raises(CourseError, match=r"cannot be read \(not enough memory\)"):
        newest_checkpoint(tmp_path)


def test_cut_anywhere_or_with_any_byte_changed_it_is_damaged(tmp_path):
    path = save(tmp_path, 3)
    whole = path.read_bytes()
    wrong = [whole + b"x"] + [whole[:place] for place in range(len(whole))]
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        wrong.append(changed)
    for content in wrong:
        path.write_bytes(content)
        with pytest.raises(DamagedCheckpoint):
            read_checkpoint(path)


@pytest.mark.parametrize("damage", ["empty", "letter", "foreign", "with a sum"])
def test_of_a_damaged_one_the_one_before_is_used_and_it_is_said(
    tmp_path, capsys, damage
):
    """Or of a whole one of another program."""
    entries = [{"name": p.name, "data": p} for p in parameters()]
    other = tmp_path / "other.ckpt"
    ms.save_checkpoint(entries, str(other), crc_check=damage == "with a sum")
    words = {"empty": b"", "letter": b"Dear checkpoint, this is a letter."}
    wrong = words.get(damage, other.read_bytes())
    save(tmp_path, 1)
    newest = save(tmp_path, 2)
    newest.write_bytes(wrong)
    with pytest.raises(DamagedCheckpoint, match="is damaged or is not a checkpoint"):
        read_checkpoint(newest)
    assert len(newest_checkpoint(tmp_path)["history"]) == 1
    printed = capsys.readouterr().out
    assert "step-0000002.ckpt is damaged" in printed
    assert "the one before it is used" in printed
    (tmp_path / "step-0000001.ckpt").write_bytes(wrong)
    assert newest_checkpoint(tmp_path) is None
    assert capsys.readouterr().out.count("is damaged") == 2


def test_what_is_saved_after_damage_is_what_is_found(tmp_path):
    """Damaged files of later steps must not push a fresh one out."""
    for steps in (90, 100):
        save(tmp_path, steps).write_bytes(b"")
    for steps in (3, 6, 9):
        save(tmp_path, steps, value=steps)
        assert newest_checkpoint(tmp_path)["weight"].asnumpy()[0, 0] == steps


# --- gone on from -------------------------------------------------------------------


def seen(*sums, skipped=0):
    """Pictures of which only the sums of their pixels matter."""
    return Pictures(Path(), 32, [*map(str, sums)], {}, skipped, sums, None)


@pytest.mark.parametrize(
    ("changes", "pictures", "sentence"),
    [
        ({"batch_size": 10}, seen(*range(20)), "batch_size was 8 and is 10"),
        ({"seed": 3, "beta1": 0.9}, None, "beta1 was 0.5 and is 0.9; seed was 1 and"),
        ({"data": "anime"}, seen(*range(20)), "data was sample and is anime"),
        ({}, seen(*range(19)), "there were 20 pictures and now 19"),
        ({}, seen(*range(21)), "there were 20 pictures and now 21"),
        ({}, seen(*range(1, 21)), "the pictures are not the same ones"),
        ({"epochs": 3}, seen(*range(1, 20)), "there were 20 pictures and now 19"),
        ({"epochs": 3}, seen(*range(1, 21)), "the pictures are not the same ones"),
        ({"out": "elsewhere"}, seen(*range(20)), None),
    ],
)
def test_other_settings_and_pictures_are_refused_by_name(changes, pictures, sentence):
    fingerprint = seen(*range(20)).fingerprint()
    saved = {"settings": TINY, "pictures": 20, "fingerprint": fingerprint}
    settings = replace(TINY, **changes)
    if sentence is None:
        refuse_changes(saved, settings, pictures)
        return
    told = rf"The training in .* cannot go on: {sentence}.* anew with fresh=True"
    with pytest.raises(CourseError, match=told):
        refuse_changes(saved, settings, pictures)


@pytest.mark.parametrize(
    ("epochs", "pictures", "sentence"),
    [
        (3, seen(*range(60), skipped=4), None),
        (3, seen(*range(1, 61), skipped=4), "the pictures are not the same ones"),
        (4, seen(*range(64)[::-1]), None),  # the whole folder, in its own order
        (1, seen(*range(20), skipped=44), None),
        (2, seen(*range(39)), "there were 40 pictures and now 39"),
    ],
)
def test_of_a_large_folder_other_epochs_take_others(epochs, pictures, sentence):
    """Here two epochs have taken 40 pictures of 64, drawn by lot."""
    saved = {"settings": TINY, "pictures": 40}
    saved["fingerprint"] = seen(*range(40)).fingerprint()
    refused = pytest.raises(CourseError, match=f"cannot go on: {sentence}")
    with refused if sentence else nullcontext():
        refuse_changes(saved, replace(TINY, epochs=epochs), pictures)


def test_another_networks_checkpoint_is_refused_and_nothing_changed(tmp_path):
    saved = read_checkpoint(save(tmp_path, 1, value=3))
    wider = parameters(5, shape=(20, 31))
    told = r"weight has the shape \(20, 30\) there, and has the shape \(20, 31\) here"
    with pytest.raises(CourseError, match=told):
        restore(saved, wider[::-1])
    assert (wider[0].asnumpy() == 5).all()
    extra = [*parameters(), ms.Parameter(np.zeros(1, np.float32), name="extra")]
    with pytest.raises(CourseError, match="extra is missing there"):
        restore(saved, extra)


def test_a_compiled_step_sees_what_is_restored(tmp_path):
    """As in a lesson whose cells made the step, ran it, and then load a checkpoint."""
    model = build_dcgan(TINY)
    networks = model.generator.set_train(), model.discriminator.set_train()
    train_step = make_train_step(*networks, model.optimizer_g, model.optimizer_d)
    average_step = make_average_step(model.generator, model.average, 0.5)
    rng = np.random.default_rng(0)
    real = ms.Tensor(rng.uniform(-1, 1, (8, 3, 32, 32)).astype(np.float32))

    def two_steps():
        losses = []
        for number in (1, 2):
            losses += [x.asnumpy() for x in train_step(real, step_noise(TINY, number))]
            average_step(number)
        return losses + [p.asnumpy().copy() for p in model.parameters]

    two_steps()
    path = save_checkpoint(tmp_path, model.parameters, np.zeros((2, 2)), TINY, 20)
    first = two_steps()
    for _ in range(2):
        restore(read_checkpoint(path), model.parameters)
        assert all((a == b).all() for a, b in zip(first, two_steps()))
