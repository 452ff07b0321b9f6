"""``dcgan faces``, ``generate`` and ``export``: what they write and say."""

import numpy as np
import pytest
from PIL import Image
from sample_files import tree
from shell import dcgan, snapshot

from dcgan_utils.show.grids import make_grid
from dcgan_utils.taught.results import generate
from dcgan_utils.training.checkpoint import newest_checkpoint
from dcgan_utils.training.noise import fixed_noise
from dcgan_utils.training.sampling import load_generator


def test_the_stand_in_is_laid_out_like_imagenet_and_kept(tmp_path):
    words = f"faces --stand-in {tmp_path / 'photos'} --count 40"
    done = dcgan(words)
    assert done.code == 0 and "40 pictures in" in done.out
    before = snapshot(tmp_path)
    files = [path for path in before if path.is_file()]
    hair = {path.parent.name for path in files}
    assert len(files) == 40 and {"black", "brown"} <= hair and len(hair) > 4
    assert set(files) == set(tmp_path.glob("photos/train/*/*.JPEG"))
    assert dcgan(words).code == 0 and snapshot(tmp_path) == before


def test_faces_draws_the_sample_faces_however_few(tmp_path):
    done = dcgan("faces --data sample --count 5")
    assert done.code == 0 and done.out.startswith("5 pictures in")
    assert len(list((tmp_path / "data" / "sample-5" / "faces").iterdir())) == 5


def test_generate_draws_a_grid_that_follows_from_the_seed(trained, tmp_path):
    path, seen = tmp_path / "a" / "b" / "generate.png", []
    for more in ("", "--seed 2", "--count 20 --columns 10"):
        done = dcgan(f"generate --checkpoint {trained} --out {path.parent} {more}")
        assert done.code == 0 and str(path) in done.out
        seen.append(np.asarray(Image.open(path)))
    saved = newest_checkpoint(trained)
    noise = fixed_noise(saved["settings"], 16)
    assert (seen[0] == make_grid(generate(load_generator(saved), noise), 4)).all()
    assert (seen[0] != seen[1]).any()
    assert seen[2].shape == (2 * 34 - 2, 10 * 34 - 2, 3)  # with gaps
    assert tree(tmp_path) == ["a", "a/b", "a/b/generate.png"]


def test_generate_writes_single_pictures(trained, tmp_path):
    words = f"generate --checkpoint {trained} --out {tmp_path} --count 3 --single"
    assert dcgan(words).code == 0
    assert tree(tmp_path) == [f"picture-0000{n}.png" for n in (1, 2, 3)]
    saved = newest_checkpoint(trained)
    made = generate(load_generator(saved), fixed_noise(saved["settings"], 3))
    seen = np.asarray(Image.open(tmp_path / "picture-00002.png"))
    assert (seen == make_grid(made[1:2], 1)).all()


def test_generate_and_export_take_one_file_of_the_ladder_too(trained, tmp_path):
    (rung,) = (trained / "ladder").iterdir()
    words = f"--checkpoint {rung} --out {tmp_path}"
    assert dcgan(f"generate {words} --count 2").code == 0
    done = dcgan(f"export {words} --format mindir")
    assert "loaded back: its pictures differ by at most 0\n" in done.out
    assert tree(tmp_path) == ["generate.png", "generator.mindir"]


@pytest.mark.parametrize("command", ["generate", "export"])
def test_what_fails_while_writing_leaves_no_part(command, trained, tmp_path):
    for name in ("generate.png", "generator.mindir"):
        (tmp_path / name).mkdir()  # a folder cannot be replaced by a file
    done = dcgan(f"{command} --checkpoint {trained} --out {tmp_path}")
    assert done.code == 1 and done.err.count("\n") == 1
    assert done.err.startswith(f"dcgan {command}: it failed while running: ")
    assert tree(tmp_path) == ["generate.png", "generator.mindir"]
