"""export.py: the files draw what the generator draws, for any number of vectors."""

import os
from collections import Counter

import mindspore as ms
import numpy as np
import onnx
import pytest

from dcgan_utils import CourseError
from dcgan_utils.taught.export import (
    draw_with_mindir,
    draw_with_onnx,
    export_mindir,
    export_onnx,
)
from dcgan_utils.taught.networks import Generator
from dcgan_utils.taught.results import generate
from dcgan_utils.training import saved
from dcgan_utils.training.saved import export_generator

SIDES = {32: 3, 96: 4}  # the number of hidden layers


def lively(side):
    """A generator whose weights and statistics are like those after training."""
    generator = Generator(20, 8, side)
    rng = np.random.default_rng(side)
    for p in generator.get_parameters():
        spread = rng.normal(0, 0.2, p.shape)
        if "variance" in p.name or "gamma" in p.name:
            spread = 1 + np.abs(spread)
        p.set_data(ms.Tensor(spread, ms.float32))
    return generator.set_train(False)


def exact(generator, noise):
    """The generator's pictures, with NumPy's tanh for MindSpore's."""
    before = generator.layers[:-1].set_train(False)
    return np.tanh(before(ms.Tensor(noise)).asnumpy().astype(np.float64))


def noise(count):
    return np.random.default_rng(count).standard_normal((count, 20, 1, 1), np.float32)


@pytest.fixture(scope="module", params=SIDES)
def exported(request, tmp_path_factory):
    """A generator and the folder of both its files."""
    folder, generator = tmp_path_factory.mktemp("exported"), lively(request.param)
    export_mindir(generator, 20, folder / "g.mindir")
    export_onnx(generator, 20, folder / "g.onnx")
    return generator, folder


@pytest.mark.parametrize("count", [1, 2, 7])
def test_both_files_draw_the_same_pictures(exported, count):
    generator, folder = exported
    own = generate(generator, ms.Tensor(noise(count)))
    assert own.std() > 0.15  # no grey, of which everything is the same
    assert np.abs(draw_with_mindir(folder / "g.mindir", noise(count)) - own).max() == 0
    made = draw_with_onnx(folder / "g.onnx", noise(count))
    assert made.shape == own.shape
    assert np.abs(made - exact(generator, noise(count))).max() <= 1e-5
    assert np.abs(made - own).max() <= 2e-4


def test_mindspores_tanh_is_what_sets_onnx_apart():
    """On a CPU it strays by 1e-4 near ±5; lesson 10 shows it."""
    x = np.linspace(-8, 8, 1601, dtype=np.float32)
    error = np.abs(ms.ops.tanh(ms.Tensor(x)).asnumpy() - np.tanh(x.astype(np.float64)))
    assert 5e-5 < error.max() < 2e-4
    assert 4.5 < abs(x[error.argmax()]) < 5.5
    assert error[np.abs(x) < 3].max() < 2e-6


def test_a_picture_does_not_depend_on_its_neighbours(exported):
    _, folder = exported
    for draw, name in ((draw_with_mindir, "g.mindir"), (draw_with_onnx, "g.onnx")):
        alone, among = draw(folder / name, noise(7)[:1]), draw(folder / name, noise(7))
        np.testing.assert_allclose(alone, among[:1], atol=1e-6)


def test_the_onnx_graph_is_the_network(exported):
    generator, folder = exported
    model = onnx.load(str(folder / "g.onnx"))
    onnx.checker.check_model(model, full_check=True)
    hidden = SIDES[generate(generator, ms.Tensor(noise(1))).shape[-1]]
    assert Counter(node.op_type for node in model.graph.node) == {
        "ConvTranspose": hidden + 1,
        "BatchNormalization": hidden,
        "Relu": hidden,
        "Tanh": 1,
    }
    assert [entry.version for entry in model.opset_import] == [11]
    names = {a.name for node in model.graph.node for a in node.attribute}
    assert "output_shape" not in names
    ends = (*model.graph.input, *model.graph.output)
    assert [end.name for end in ends] == ["noise", "pictures"]
    assert all(e.type.tensor_type.shape.dim[0].dim_param == "N" for e in ends)


def test_a_network_can_be_exported_again_and_again(exported, tmp_path):
    generator, folder = exported
    export_mindir(generator, 20, tmp_path / "g.mindir")
    export_onnx(generator, 20, tmp_path / "g.onnx")
    assert not generator.training
    again, first = tmp_path / "g.onnx", folder / "g.onnx"
    assert (draw_with_onnx(again, noise(2)) == draw_with_onnx(first, noise(2))).all()


@pytest.mark.parametrize(("form", "limit"), [("MINDIR", 0), ("ONNX", 2e-4)])
def test_export_generator_compares_and_leaves_one_file(form, limit, tmp_path):
    folder, here = tmp_path / "my résumé", os.getcwd()  # ms.export would refuse it
    folder.mkdir()
    path, difference = export_generator(lively(32), 20, folder, form)
    assert path == folder / f"generator.{form.lower()}"
    assert [p.name for p in folder.iterdir()] == [path.name]
    assert os.getcwd() == here
    assert 0 <= difference <= limit
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_draws_other_pictures_is_not_kept(tmp_path, monkeypatch):
    def draw(path, noise):
        return draw_with_onnx(path, -noise)

    monkeypatch.setattr(saved, "draw_with_onnx", draw)
    with pytest.raises(CourseError, match="draws other pictures") as told:
        export_generator(lively(32), 20, tmp_path, "ONNX")
    assert told.value.while_running  # a shell gets 1, not 2
    assert list(tmp_path.iterdir()) == []


def test_air_is_refused_without_an_ascend(tmp_path):
    with pytest.raises(CourseError, match="take MINDIR"):
        export_generator(lively(32), 20, tmp_path, "AIR")
    assert list(tmp_path.iterdir()) == []
