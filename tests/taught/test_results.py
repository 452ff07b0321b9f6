"""results.py: drawing from noise, the running mean, and the GIF of training."""

import numpy as np
import pytest
from PIL import Image
from small_runs import TINY

from dcgan_utils.taught.results import generate, save_gif, smooth
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import fixed_noise
from dcgan_utils.training.sampling import recalibrate_batch_norm


@pytest.mark.parametrize("training", [True, False])
def test_generate_looks_at_each_noise_alone_and_changes_nothing(training):
    generator = build_dcgan(TINY).generator
    noise = fixed_noise(TINY, 70)  # more than one chunk of 64
    recalibrate_batch_norm(generator, noise)  # as trained ones are
    before = [p.asnumpy().copy() for p in generator.get_parameters()]
    generator.set_train(training)
    pictures = generate(generator, noise)
    assert pictures.shape == (70, 3, 32, 32)
    assert pictures.dtype == np.float32
    for part in (slice(5, 6), slice(60, 70)):
        alone = generate(generator, noise[part])
        np.testing.assert_allclose(alone, pictures[part], atol=1e-6)
    assert np.abs(pictures[5] - pictures[6]).max() > 1e-2
    for p, value in zip(generator.get_parameters(), before):
        assert (p.asnumpy() == value).all(), p.name
    cells = [cell for _, cell in generator.cells_and_names()]
    assert all(cell.training == training for cell in cells)


def test_smooth_by_hand():
    assert smooth([1, 2, 3, 6, 0], 3) == pytest.approx([1, 1.5, 2, 11 / 3, 3])
    assert smooth([4.0, 2.0], 50) == pytest.approx([4, 3])
    assert smooth([5, 7], 1) == pytest.approx([5, 7])
    assert len(smooth([])) == 0


# Pillow would make one frame of two equal ones, and an epoch would be missing.
@pytest.mark.parametrize("levels", [[10, 60, 110, 160], [10, 10, 60, 60, 60], [99]])
def test_a_gif_has_one_frame_an_epoch_and_loops(levels, tmp_path):
    frames = [np.full((16, 16, 3), level, np.uint8) for level in levels]
    path = save_gif(frames, tmp_path / "new" / "training.gif", 0.2, 1.0)
    assert path == tmp_path / "new" / "training.gif"
    durations, seen = [], []
    with Image.open(path) as gif:
        assert (gif.format, gif.info["loop"]) == ("GIF", 0)
        for i in range(gif.n_frames):
            gif.seek(i)
            durations.append(gif.info["duration"])
            seen.append(gif.convert("RGB").getpixel((5, 5))[0])
    assert durations == [200] * (len(levels) - 1) + [1000]
    assert np.abs(np.array(seen) - levels).max() <= 3


def test_a_gif_of_many_equal_frames_keeps_them_apart(tmp_path):
    black = np.zeros((70, 70, 3), np.uint8)
    with Image.open(save_gif([black] * 40, tmp_path / "long.gif")) as gif:
        assert gif.n_frames == 40


def test_colours_of_a_gif_are_near_those_of_the_frames(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (3, 2, 2, 3), np.uint8)
    frames = colours.repeat(8, axis=1).repeat(8, axis=2)
    with Image.open(save_gif(frames, tmp_path / "colours.gif")) as gif:
        for i, frame in enumerate(frames):
            gif.seek(i)
            shown = np.asarray(gif.convert("RGB")).astype(int)
            assert np.abs(shown[:16] - frame).mean() < 12  # a bar stands below
