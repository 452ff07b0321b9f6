"""fast_layers.py: the quicker forms give what MindSpore's own layers give."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops

from dcgan_utils.settings import Settings
from dcgan_utils.taught.networks import Discriminator, Generator
from dcgan_utils.taught.training import make_train_step
from dcgan_utils.training import model as model_module
from dcgan_utils.training.fast_layers import (
    Doubling,
    FastConv2d,
    FastConv2dTranspose,
    use_fast_layers,
)
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import step_noise


def drawn(*shape, seed=0):
    return ms.Tensor(np.random.default_rng(seed).standard_normal(shape), ms.float32)


def results(layer, x, dout):
    """The layer's output and the gradients with respect to its input and weight."""
    weight = layer.weight

    def forward(x):
        return (layer(x) * dout).sum()

    gradient = ms.grad(forward, 0, weights=[weight])

    @ms.jit
    def all_three(x):
        dx, dweight = gradient(x)
        return layer(x), dx, dweight[0]

    return [t.asnumpy() for t in all_three(x)]


def assert_equal_results(plain, quick, x):
    dout = drawn(*plain(x).shape, seed=2)
    names = "output", "gradient of x", "gradient of the weight"
    found = zip(names, results(plain, x, dout), results(quick, x, dout))
    for name, theirs, ours in found:
        assert ours.shape == theirs.shape, name
        limit = 3e-6 * np.abs(theirs).max()  # the order of a sum is another
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit, err_msg=name)


@pytest.mark.parametrize("side", [4, 5, 8, 12, 16, 32])
def test_doubling_and_its_gradients(side):
    plain = nn.Conv2dTranspose(6, 5, 4, 2, "pad", 1, weight_init="normal")
    quick = FastConv2dTranspose(plain)
    assert_equal_results(plain, quick, drawn(3, 6, side, side))


@pytest.mark.parametrize("side", [8, 10, 16, 24, 32, 64])
def test_halving_and_its_gradients(side):
    plain = nn.Conv2d(5, 6, 4, 2, "pad", 1, weight_init="normal")
    assert_equal_results(plain, FastConv2d(plain), drawn(3, 5, side, side))


@pytest.mark.parametrize("side", [4, 6, 7])
def test_spreading_one_pixel_and_its_gradients(side):
    plain = nn.Conv2dTranspose(10, 7, side, 1, "pad", 0, weight_init="normal")
    assert_equal_results(plain, FastConv2dTranspose(plain), drawn(3, 10, 1, 1))


@pytest.mark.parametrize("form", ["add_up", "sort"])
@pytest.mark.parametrize("side", [1, 2, 3, 8, 9])
def test_both_ways_of_doubling_agree_with_mindspore_at_every_side(form, side):
    x, kernel = drawn(2, 4, side, side), drawn(4, 3, 4, 4, seed=1)
    transposed = ops.Conv2DTranspose(4, 4, pad_mode="pad", pad=1, stride=2)
    theirs = transposed(x, kernel, (2, 3, 2 * side, 2 * side)).asnumpy()
    ours = getattr(Doubling(4, 3), form)(x, kernel).asnumpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("image_size", [32, 48, 64, 128])
def test_quicken_keeps_weights_names_and_kinds_and_leaves_the_picture_alone(image_size):
    for network in (Generator(10, 4, image_size), Discriminator(4, image_size)):
        kinds = [type(layer) for layer in network.layers]
        before = list(network.parameters_and_names())
        assert use_fast_layers(network) is network
        after = list(network.parameters_and_names())
        assert [name for name, _ in after] == [name for name, _ in before]
        assert all(a is b for (_, a), (_, b) in zip(after, before))
        assert all(isinstance(n, k) for n, k in zip(network.layers, kinds))
        for layer in network.layers:
            if isinstance(layer, (nn.Conv2d, nn.Conv2dTranspose)):
                at_the_picture = 3 in (layer.in_channels, layer.out_channels)
                quick = isinstance(layer, (FastConv2d, FastConv2dTranspose))
                assert quick is not at_the_picture


@pytest.mark.parametrize("image_size, maps", [(64, 8), (32, 16)])
def test_a_step_is_the_same_with_and_without(monkeypatch, image_size, maps):
    """Losses and every gradient, as Adam's first moments hold them after one step."""
    settings = Settings(
        image_size=image_size,
        generator_maps=maps,
        discriminator_maps=maps,
        batch_size=8,
        real_label=0.9,
    )
    real = ms.Tensor(np.tanh(drawn(8, 3, image_size, image_size).asnumpy()))
    found = []
    for quick in (True, False):
        if not quick:
            monkeypatch.setattr(
                model_module, "use_fast_layers", lambda network: network
            )
        model = build_dcgan(settings)
        layers = [*model.generator.layers, *model.discriminator.layers]
        kinds = [isinstance(x, (FastConv2d, FastConv2dTranspose)) for x in layers]
        assert any(kinds) is quick
        step = make_train_step(*parts_of(model), settings.real_label)
        losses = [float(loss) for loss in step(real, step_noise(settings, 0))]
        moments = {p.name: p.asnumpy() for p in model.parameters if "moment1" in p.name}
        found.append((losses, moments))
    compare(*found)


def parts_of(model):
    networks = model.generator.set_train(), model.discriminator.set_train()
    return *networks, model.optimizer_g, model.optimizer_d


def compare(found, expected):
    (losses, moments), (plain_losses, plain_moments) = found, expected
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-5)
    assert moments.keys() == plain_moments.keys()
    for name, theirs in plain_moments.items():
        limit = 1e-4 * np.abs(theirs).max()
        np.testing.assert_allclose(
            moments[name], theirs, rtol=0, atol=limit, err_msg=name
        )
