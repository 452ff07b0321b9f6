"""networks.py: shapes, counts, the fresh weights, and parity with PyTorch."""

import importlib.util
from itertools import combinations
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from scipy import stats

from dcgan_utils.settings import Settings
from dcgan_utils.taught.networks import (
    Discriminator,
    Generator,
    LeakyReLU,
    count_parameters,
    layer_widths,
)
from dcgan_utils.taught.results import generate
from dcgan_utils.taught.training import (
    discriminator_loss,
    make_train_step,
)
from dcgan_utils.training.model import build_dcgan

STORED = Path(__file__).with_name("parity.npz")
TOOLS = Path(__file__).parents[2] / "tools"

# make_reference.py imports PyTorch only where it computes, so its seeds and sizes can
# be read here without it.
_spec = importlib.util.spec_from_file_location(
    "make_reference", TOOLS / "make_reference.py"
)
make_reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_reference)

RELATIVE = 1e-4
ADAM_EPS = 1e-8


def relative_error(ours, theirs):
    """max |ours − theirs| / max |theirs|, over one whole tensor.

    A relative error number by number would ask the impossible: where thousands of
    terms cancel to nearly nothing, what is left is rounding, here as there.
    """
    ours = np.asarray(ours, np.float64).reshape(theirs.shape)
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.fixture(scope="module", params=make_reference.CASES)
def parity(request):
    """One training step of ours from the reference's start, beside its results."""
    case = request.param
    image_size, latent_size, ngf, ndf, label, batch = make_reference.CASES[case]
    settings = Settings(
        image_size=image_size,
        latent_size=latent_size,
        generator_maps=ngf,
        discriminator_maps=ndf,
        real_label=label,
        batch_size=batch,
        generator_rate=make_reference.RATE_G,
        discriminator_rate=make_reference.RATE_D,
    )
    model = build_dcgan(settings)
    weights_g = model.generator.trainable_params()
    weights_d = model.discriminator.trainable_params()
    old_g, old_d, noise, real = make_reference.draw(
        case, [p.shape for p in weights_g], [p.shape for p in weights_d]
    )
    for p, value in zip(weights_g + weights_d, old_g + old_d):
        p.set_data(ms.Tensor(value))
    noise, real = ms.Tensor(noise), ms.Tensor(real)

    model.generator.set_train()
    model.discriminator.set_train()
    networks = (model.generator, model.discriminator)
    parameters = [p for network in networks for p in network.get_parameters()]
    statistics = [p for p in parameters if "moving" in p.name]
    before = [p.asnumpy().copy() for p in statistics]
    ours = {}
    fakes = model.generator(noise)
    p_real, p_fake = model.discriminator(real), model.discriminator(fakes)
    ours["fakes"], ours["p_real"] = fakes.asnumpy()[:2], p_real.asnumpy()
    ours["p_fake"] = p_fake.asnumpy()
    ours["loss_d alone"] = discriminator_loss(p_real, p_fake, label).asnumpy()
    for p, value in zip(statistics, before):  # looking has moved them
        p.set_data(ms.Tensor(value))

    train_step = make_train_step(
        model.generator,
        model.discriminator,
        model.optimizer_g,
        model.optimizer_d,
        label,
    )
    loss_d, loss_g = train_step(real, noise)
    ours["loss_d"], ours["loss_g"] = loss_d.asnumpy(), loss_g.asnumpy()
    ours["drawn"] = generate(model.generator, noise)[:2]

    with np.load(STORED) as stored:
        theirs = {
            name.split("/")[1]: stored[name].astype(np.float64)
            for name in stored.files
            if name.startswith(case + "/")
        }
    sides = {
        "g": (weights_g, model.optimizer_g, old_g, model.generator),
        "d": (weights_d, model.optimizer_d, old_d, model.discriminator),
    }
    return model, ours, theirs, sides


@pytest.mark.parametrize("name", ["fakes", "p_real", "p_fake"])
def test_forward_outputs_agree_with_pytorch(parity, name):
    _, ours, theirs, _ = parity
    assert relative_error(ours[name], theirs[name]) < RELATIVE


@pytest.mark.parametrize("name", ["loss_d", "loss_g"])
def test_losses_agree_with_pytorch(parity, name):
    _, ours, theirs, _ = parity
    assert relative_error(ours[name], theirs[name]) < RELATIVE
    if name == "loss_d":  # that of G is another once D has been trained
        assert relative_error(ours["loss_d alone"], theirs[name]) < RELATIVE


@pytest.mark.parametrize("side", ["g", "d"])
def test_every_gradient_agrees_with_pytorch(parity, side):
    """Read from Adam's moments, so they are those that the step itself used.

    After one step the first moment is (1 − beta1) · gradient, the second is
    (1 − beta2) · gradient²: this checks both betas too, which cancel in the weights.
    """
    *_, theirs, sides = parity
    weights, optimizer, _, _ = sides[side]
    assert len(weights) == sum(name.startswith(f"grad_{side}") for name in theirs)
    for i, p in enumerate(weights):
        gradient = theirs[f"grad_{side}{i}"]
        first = optimizer.moment1[i].asnumpy() / 0.5
        second = optimizer.moment2[i].asnumpy() / 0.001
        assert relative_error(first, gradient) < RELATIVE, p.name
        # A square doubles the relative error.
        assert relative_error(second, gradient**2) < 2 * RELATIVE, p.name


@pytest.mark.parametrize("side", ["g", "d"])
def test_weights_after_one_adam_step_agree_with_pytorch(parity, side):
    """All weights but those whose gradient is next to nothing.

    The first step of Adam is rate · g / (|g| + eps), so nearly rate · sign(g). eps is
    1e-8 in PyTorch; MindSpore adds the same 1e-8 before the bias correction (the form
    at the end of section 2 of the Adam paper), which makes it 1e-8 / √0.001 = 3.2e-7
    here. The two differ where |g| is not far above that: below 3e-5, that is in less
    than a hundredth of the weights, which need only stay within two steps.
    """
    *_, theirs, sides = parity
    weights, _, old, _ = sides[side]
    rate = {"g": make_reference.RATE_G, "d": make_reference.RATE_D}[side]
    for i, p in enumerate(weights):
        new, gradient = theirs[f"new_{side}{i}"], theirs[f"grad_{side}{i}"]
        clear = np.abs(gradient) > 3e-5
        assert clear.mean() > 0.99, p.name
        ours = p.asnumpy().reshape(new.shape).astype(np.float64)
        error = np.abs(ours - new)
        assert error[clear].max() / np.abs(new).max() < RELATIVE, p.name
        assert error.max() < 2.01 * rate, p.name
        # And it was a step: the old weights are far from the new ones.
        moved = np.abs(ours - old[i].reshape(new.shape))
        assert moved[clear].min() > 0.9 * rate, p.name


@pytest.mark.parametrize("side", ["g", "d"])
def test_adam_keeps_to_its_formula_for_every_weight(parity, side):
    """w − rate · √(1 − beta2) / (1 − beta1) · m / (√v + eps), its own moments."""
    *_, sides = parity
    weights, optimizer, old, _ = sides[side]
    rate = {"g": make_reference.RATE_G, "d": make_reference.RATE_D}[side]
    for i, p in enumerate(weights):
        m = optimizer.moment1[i].asnumpy().astype(np.float64)
        v = optimizer.moment2[i].asnumpy().astype(np.float64)
        step = rate * np.sqrt(0.001) / 0.5 * m / (np.sqrt(v) + ADAM_EPS)
        expected = old[i].reshape(p.shape) - step
        assert np.abs(p.asnumpy() - expected).max() < 1e-6, p.name


@pytest.mark.parametrize("side", ["g", "d"])
def test_batch_norm_statistics_agree_with_pytorch(parity, side):
    """Momentum 0.9 here is 0.1 there, and both keep the unbiased variance.

    D's have moved three times: its own step shows it the real pictures and the fakes,
    G's step the fakes once more. G's have moved twice.
    """
    *_, theirs, sides = parity
    network = sides[side][3]
    norms = [c for c in network.cells_and_names() if isinstance(c[1], nn.BatchNorm2d)]
    assert len(norms) == sum(name.startswith(f"mean_{side}") for name in theirs)
    for i, (_, norm) in enumerate(norms):
        mean, variance = theirs[f"mean_{side}{i}"], theirs[f"variance_{side}{i}"]
        assert relative_error(norm.moving_mean.asnumpy(), mean) < RELATIVE
        assert relative_error(norm.moving_variance.asnumpy(), variance) < RELATIVE


def test_pictures_drawn_afterwards_agree_with_pytorch(parity):
    """In eval mode, with the new weights and the moving statistics.

    Looser: the few weights of the test above that may differ by two steps.
    """
    _, ours, theirs, _ = parity
    assert relative_error(ours["drawn"], theirs["drawn"]) < 10 * RELATIVE


# --- sizes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image_size", "maps", "of_generator", "of_discriminator"),
    [(64, 64, 3_576_704, 2_765_568), (32, 128, 3_448_576, 2_637_312)],
)
def test_parameter_counts_of_the_published_networks(
    image_size, maps, of_generator, of_discriminator
):
    assert count_parameters(Generator(100, maps, image_size)) == of_generator
    assert count_parameters(Discriminator(maps, image_size)) == of_discriminator


@pytest.mark.parametrize(
    ("image_size", "widths"),
    [
        (32, [4, 8, 16]),
        (48, [4, 8, 16]),
        (64, [4, 8, 16, 32]),
        (96, [4, 8, 16, 32]),
        (128, [4, 8, 16, 32, 64]),
    ],
)
def test_shapes_and_ranges_of_every_picture_size(image_size, widths):
    assert layer_widths(4, image_size) == widths
    generator = Generator(10, 4, image_size)
    discriminator = Discriminator(4, image_size)
    noise = np.random.default_rng(0).standard_normal((2, 10, 1, 1), np.float32)
    pictures = generator(ms.Tensor(noise))
    answers = discriminator(pictures)
    assert pictures.shape == (2, 3, image_size, image_size)
    assert answers.shape == (2, 1)
    assert pictures.dtype == answers.dtype == ms.float32
    assert np.abs(pictures.asnumpy()).max() <= 1
    assert ((answers.asnumpy() > 0) & (answers.asnumpy() < 1)).all()


@pytest.mark.parametrize("image_size", [100, 33, 66, 7, 4, 1])
def test_a_size_that_cannot_be_halved_is_named(image_size):
    with pytest.raises(ValueError, match=f"image_size {image_size} cannot be halved"):
        Generator(10, 4, image_size)
    with pytest.raises(ValueError, match=f"image_size {image_size} cannot be halved"):
        Discriminator(4, image_size)


def test_the_two_widths_are_independent():
    """In some published code D's batch norm takes G's width, which fits by luck."""
    model = build_dcgan(Settings(generator_maps=6, discriminator_maps=4, image_size=32))
    norms = [
        cell.num_features
        for _, cell in model.discriminator.cells_and_names()
        if isinstance(cell, nn.BatchNorm2d)
    ]
    assert norms == [8, 16]
    noise = ms.Tensor(np.zeros((2, 100, 1, 1), np.float32))
    assert model.discriminator(model.generator(noise)).shape == (2, 1)


def test_no_layer_has_a_bias_and_the_right_ones_have_batch_norm():
    generator = Generator(10, 4, 64)
    discriminator = Discriminator(4, 64)
    names = [p.name for n in (generator, discriminator) for p in n.get_parameters()]
    assert not [name for name in names if "bias" in name]
    kinds = [type(cell).__name__ for cell in generator.layers]
    assert kinds == ["Conv2dTranspose", "BatchNorm2d", "ReLU"] * 4 + [
        "Conv2dTranspose",
        "Tanh",
    ]
    kinds = [type(cell).__name__ for cell in discriminator.layers]
    assert kinds == ["Conv2d", "LeakyReLU"] + ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 3


def test_leaky_relu_is_the_maximum_in_value_and_gradient():
    x = np.linspace(-3, 3, 600, dtype=np.float32)  # an even number: 0 is not among them
    weights = np.arange(600, dtype=np.float32)
    leaky = LeakyReLU()

    def weighted(x):
        return (ms.Tensor(weights) * leaky(x)).sum()

    value, slope = leaky(ms.Tensor(x)), ops.grad(weighted)(ms.Tensor(x))
    np.testing.assert_allclose(value.asnumpy(), np.maximum(0.2 * x, x), rtol=3e-7)
    expected = weights * np.where(x > 0, np.float32(1), np.float32(0.2))
    np.testing.assert_allclose(slope.asnumpy(), expected, rtol=3e-7)
    assert leaky(ms.Tensor([0.0, -0.0])).asnumpy().tolist() == [0, 0]


# --- fresh weights -------------------------------------------------------------------


@pytest.fixture(scope="module")
def fresh():
    """All fresh weights of the published 64 × 64 networks by name, for the seed 1."""
    model = build_dcgan(Settings())
    parts = [*model.generator.get_parameters(), *model.discriminator.get_parameters()]
    return {p.name: p.asnumpy() for p in parts}


def drawn(fresh):
    """The drawn ones, brought to N(0, 1) if they are what they ought to be."""
    for name, value in fresh.items():
        if name.endswith("weight"):
            yield name, value.ravel() / 0.02
        elif name.endswith("gamma"):
            yield name, (value - 1) / 0.02


def test_weights_are_normal_002_and_gammas_normal_1_002(fresh):
    checked = dict(drawn(fresh))
    assert len(checked) == 5 + 4 + 5 + 3
    for name, z in checked.items():
        # Five standard errors: a chance of 1 in 10⁶, and the seed is fixed besides.
        assert abs(z.mean()) < 5 / np.sqrt(z.size), name
        assert abs(z.std() - 1) < 5 / np.sqrt(2 * z.size), name
        assert stats.kstest(z, "norm").pvalue > 1e-4, name


def test_betas_and_statistics_start_plain(fresh):
    for name, value in fresh.items():
        if name.endswith(("beta", "moving_mean")):
            assert (value == 0).all(), name
        elif name.endswith("moving_variance"):
            assert (value == 1).all(), name


def test_no_two_layers_share_their_draws(fresh):
    starts = {name: z[:64] for name, z in drawn(fresh)}
    for (one, a), (other, b) in combinations(starts.items(), 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.7, (one, other)
    for name, value in fresh.items():  # nor two filters of a layer
        if value.ndim == 4:
            filters = [filter.tobytes() for filter in value]
            assert len(set(filters)) == len(filters), name


def test_the_seed_decides_the_weights():
    def start(seed):
        model = build_dcgan(Settings(generator_maps=4, discriminator_maps=4, seed=seed))
        networks = (model.generator, model.discriminator)
        parameters = [p for network in networks for p in network.get_parameters()]
        return [p.asnumpy() for p in parameters if "weight" in p.name]

    one, again, other = start(1), start(1), start(2)
    assert len(one) == 10
    assert all((a == b).all() for a, b in zip(one, again))
    assert not any((a == b).all() for a, b in zip(one, other))
