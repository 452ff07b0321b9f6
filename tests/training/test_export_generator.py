"""saved.py: a generator is exported whole, compared, or not kept."""

import os

import pytest
from samples import lively_generator

from dcgan_utils import CourseError
from dcgan_utils.taught.export import draw_with_onnx
from dcgan_utils.training import saved
from dcgan_utils.training.saved import export_generator


@pytest.mark.parametrize(("form", "limit"), [("MINDIR", 0), ("ONNX", 2e-4)])
def test_the_file_is_compared_and_left_alone(form, limit, tmp_path):
    folder, here = tmp_path / "my résumé", os.getcwd()  # ms.export would refuse it
    folder.mkdir()
    path, difference = export_generator(lively_generator(32), 20, folder, form)
    assert path == folder / f"generator.{form.lower()}"
    assert [p.name for p in folder.iterdir()] == [path.name]
    assert os.getcwd() == here
    assert 0 <= difference <= limit
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_draws_other_pictures_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(saved, "draw_with_onnx", lambda p, z: draw_with_onnx(p, -z))
    with pytest.raises(CourseError, match="draws other pictures") as told:
        export_generator(lively_generator(32), 20, tmp_path, "ONNX")
    assert told.value.while_running  # a shell gets 1, not 2
    assert list(tmp_path.iterdir()) == []


def test_air_is_refused_without_an_ascend(tmp_path):
    with pytest.raises(CourseError, match="take MINDIR"):
        export_generator(lively_generator(32), 20, tmp_path, "AIR")
    assert list(tmp_path.iterdir()) == []
