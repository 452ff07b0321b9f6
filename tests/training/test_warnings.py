"""warnings.py: nothing is said of a good run; what is said names a remedy."""

import re

import mindspore as ms
import numpy as np
from mindspore import nn
from samples import noise, sample_faces

from dcgan_utils.settings import course_root
from dcgan_utils.taught import failure_modes
from dcgan_utils.taught.networks import Generator
from dcgan_utils.taught.results import generate
from dcgan_utils.training.checkpoint import (
    list_checkpoints,
    newest_checkpoint,
    read_checkpoint,
)
from dcgan_utils.training.sampling import load_generator
from dcgan_utils.training.warnings import REMEDIES, warnings_of


def test_nothing_warns_of_the_good_class_run():
    folder = course_root() / "weights" / "class-sample"
    saved = newest_checkpoint(folder)
    earlier = read_checkpoint(list_checkpoints(folder / "ladder")[-1])
    assert 200 < len(earlier["history"]) < len(saved["history"])
    old, new = load_generator(earlier), load_generator(saved)
    before, made = (generate(g, ms.Tensor(noise())) for g in (old, new))
    label, real = saved["settings"].real_label, sample_faces(64, 64)
    assert warnings_of(saved["history"], real, made, before, label, new) == []


def test_warnings_say_what_to_try():
    faces = sample_faces(64, 32)
    won, pale = np.full((200, 2), (0.001, 8.0)), (faces + 1) / 2
    same = np.repeat(faces[:1], 64, axis=0)
    generator = Generator(100, 8, 32)
    generator.layers[1] = nn.BatchNorm2d(32, 0.8)
    generator.layers[-2] = nn.Conv2dTranspose(8, 3, 3, 2, "same")
    found = warnings_of(won, pale, same, same[::-1], generator=generator)
    for failure in (
        "D has won", "wrong range", "mode collapse", "noise not fixed",
        "momentum given as epsilon", "uneven stamps",
    ):  # fmt: skip
        sentence = next(line for line in found if failure in line)
        assert sentence.endswith(f"Try: {REMEDIES[failure]}.")
    assert len(found) == 6
    assert warnings_of(won[:199] + 0.5, faces, same, same) == [], "too early to judge"


def test_every_verdict_has_a_remedy():
    with open(failure_modes.__file__, encoding="utf-8") as file:
        assert set(re.findall(r'Verdict\("(.+?)"', file.read())) == set(REMEDIES)
