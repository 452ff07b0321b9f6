"""Lessons after 03 find a training: their own, else the course's weights."""

from dataclasses import replace

import numpy as np
import pytest
from small_runs import TINY

from dcgan_utils import CourseError
from dcgan_utils.show.grids import save_picture
from dcgan_utils.training import saved as saved_module
from dcgan_utils.training.checkpoint import save_checkpoint
from dcgan_utils.training.saved import find_run


@pytest.fixture
def save_run(tiny):
    def save(folder):
        """A run of one epoch and six steps, with the first one on its ladder."""
        for path, steps in (("", 6), ("ladder", 3), ("ladder", 6)):
            what = tiny.parameters, np.ones((steps, 2)), TINY, 20
            save_checkpoint(folder / path, *what, keep=None)
        (folder / "frames").mkdir()
        save_picture(np.zeros((8, 8, 3), np.uint8), folder / "frames/epoch-0001.png")

    return save


def test_a_lesson_finds_its_own_training_first(tmp_path, save_run, monkeypatch, capsys):
    monkeypatch.setattr(saved_module, "course_root", lambda: tmp_path)
    with pytest.raises(CourseError, match="run lesson 03"):
        find_run(TINY)
    weights = tmp_path / "weights" / "class-sample"
    save_run(weights)
    assert find_run(TINY).frames == weights / "frames"
    assert "No epoch was trained here yet" in capsys.readouterr().out
    find_run(replace(TINY, data="folder"))
    assert "They have never seen your pictures." in capsys.readouterr().out
    save_run(TINY.run_dir)
    found = find_run(TINY)
    assert found.frames == TINY.run_dir / "frames"
    assert [len(rung["history"]) for rung in found.ladder] == [3, 6]
    assert "your own training" in capsys.readouterr().out
