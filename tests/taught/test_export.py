"""export.py: the files draw what the generator draws, for any number of vectors."""

from collections import Counter

import mindspore as ms
import numpy as np
import onnx
import pytest
from samples import lively_generator, noise

from dcgan_utils.taught.export import (
    draw_with_mindir,
    draw_with_onnx,
    export_mindir,
    export_onnx,
)
from dcgan_utils.taught.results import generate

SIDES = {32: 3, 96: 4}  # the number of hidden layers
NOISE = noise(7, 20)


def exact(generator, noise):
    """The generator's pictures, with NumPy's tanh for MindSpore's."""
    before = generator.layers[:-1].set_train(False)
    return np.tanh(before(ms.Tensor(noise)).asnumpy().astype(np.float64))


@pytest.fixture(scope="module", params=SIDES)
def exported(request, tmp_path_factory):
    """A generator and the folder of both its files."""
    folder = tmp_path_factory.mktemp("exported")
    generator = lively_generator(request.param)
    export_mindir(generator, 20, folder / "g.mindir")
    export_onnx(generator, 20, folder / "g.onnx")
    return generator, folder


@pytest.mark.parametrize("count", [1, 2, 7])
def test_both_files_draw_the_same_pictures(exported, count):
    generator, folder = exported
    own = generate(generator, ms.Tensor(NOISE[:count]))
    assert own.std() > 0.15  # no grey, of which everything is the same
    assert np.abs(draw_with_mindir(folder / "g.mindir", NOISE[:count]) - own).max() == 0
    made = draw_with_onnx(folder / "g.onnx", NOISE[:count])
    assert made.shape == own.shape
    assert np.abs(made - exact(generator, NOISE[:count])).max() <= 1e-5
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
        alone, among = draw(folder / name, NOISE[:1]), draw(folder / name, NOISE)
        np.testing.assert_allclose(alone, among[:1], atol=1e-6)


def test_the_onnx_graph_is_the_network(exported):
    generator, folder = exported
    model = onnx.load(str(folder / "g.onnx"))
    onnx.checker.check_model(model, full_check=True)
    hidden = SIDES[generate(generator, ms.Tensor(NOISE[:1])).shape[-1]]
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
    assert (draw_with_onnx(again, NOISE[:2]) == draw_with_onnx(first, NOISE[:2])).all()
