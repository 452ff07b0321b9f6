"""exercises/: right answers in any form, a hint for each mistake, never an error."""

import re
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from mindspore.dataset import vision

from dcgan_utils.lesson import check
from dcgan_utils.settings import PRESETS
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.distributed import Place, share
from dcgan_utils.taught.evaluation import coverage, fid, precision_recall
from dcgan_utils.taught.exercises import LESSONS, find_exercise
from dcgan_utils.taught.exercises.kinds import Number, short
from dcgan_utils.taught.failure_modes import collapsed
from dcgan_utils.taught.features import GuidedReLU, linear_answers, pooled_features
from dcgan_utils.taught.latent_space import calculate, move
from dcgan_utils.taught.networks import Discriminator, Generator, count_parameters
from dcgan_utils.taught.results import generate, smooth
from dcgan_utils.taught.training import discriminator_loss, generator_loss
from dcgan_utils.training.noise import steps_per_epoch
from dcgan_utils.training.toys import MODES

RNG = np.random.default_rng(3)
NOISE = RNG.standard_normal((10, 100, 1, 1)).astype(np.float32)
N, M = (v / np.linalg.norm(v) for v in RNG.standard_normal((2, 100)))
REST = N - (N @ M) * M
WALK = np.linspace(NOISE[0], NOISE[1], 8)
NOISE_MS = ms.Tensor(NOISE)
LOUD, ROUNDED = Generator(100, 8, 32), Generator(100, 8, 32)
for p, q in zip(LOUD.get_parameters(), ROUNDED.get_parameters()):
    p.set_data(20 * p if p.ndim > 1 else p)  # far from grey, so that rounding shows
    q.set_data(ops.cast(ops.cast(p, ms.float16), ms.float32))
GIVEN = {
    "04.2": {"noise": NOISE_MS},
    "04.3": {"noise": NOISE_MS},
    "05.2": {"n": N, "m": M},
    "10.4": {"generator": LOUD, "noise": NOISE},
}
SOLVED = {"04.2": NOISE[5:6], "04.3": WALK, "05.2": REST / np.linalg.norm(REST)}
WRONG = [
    ("04.2", NOISE[4:5], "counted from 0: no"),
    ("04.2", NOISE[6:7], "another vector"),
    ("04.2", NOISE[5], "shape [100, 1, 1]; asked for is [1, 100, 1, 1]"),
    ("04.2", np.zeros((1, 3, 64, 64)), "shape [1, 3, 64, 64]"),
    ("04.3", WALK[:, :, 0, 0], "shape [8, 100]; asked for is [8, 100, 1, 1]"),
    ("04.3", WALK[::-1], "starts at noise[0]: no"),
    ("04.3", np.linspace(NOISE[0], NOISE[1], 8, endpoint=False), "noise[1]: no"),
    ("04.3", WALK[[0, 1, 2, 2, 4, 5, 6, 7]], "equal steps: no"),
    ("05.2", N, "at a right angle to m: no"),
    ("05.2", N - M, "at a right angle to m: no"),
    ("05.2", REST, "length 1: no"),
    ("05.2", -REST / np.linalg.norm(REST), "the other way"),
    ("05.2", REST[:, None], "shape [100, 1]; asked for is [100]"),
]
NUMBERS = [f"{k:02}.{n}" for k in range(1, len(LESSONS) + 1) for n in (1, 2, 3, 4)]
every = pytest.mark.parametrize("number", NUMBERS)
every_number = pytest.mark.parametrize("number", sorted(set(NUMBERS) - set(SOLVED)))


def expected(number):
    if number == "10.4":
        pictures = generate(ROUNDED, NOISE_MS) - generate(LOUD, NOISE_MS)
        return 127.5 * float(np.abs(pictures).max())
    return find_exercise(number).expected


def stamps():
    x = nn.Conv2dTranspose(1, 1, 5, 2, "valid", weight_init="ones")(
        ops.ones((1, 1, 5, 5))
    )
    return np.unique(x.asnumpy()[0, 0, 4:-4, 4:-4])


def turn_of_adam():
    w = ms.Parameter(ms.Tensor([0.0]), name="w")
    adam, path = nn.Adam([w], learning_rate=0.01, beta1=0.9), []
    for gradient in [1.0] * 10 + [-1.0] * 10:
        adam((ms.Tensor([gradient]),))
        path.append(w.asnumpy().item())
    return path.index(min(path)) - 8


def moved_by_sgd(factor):
    w = ms.Parameter(ms.Tensor([0.0]), name="w")
    nn.SGD([w], learning_rate=0.1)((factor * ms.Tensor([1.0]),))
    return w.asnumpy().item()


def loss_of_d(real, fake):
    return discriminator_loss(real * ops.ones((2, 1)), fake * ops.ones((2, 1))).item()


def push(loss):
    return ms.grad(lambda a: loss(ops.sigmoid(a)))(
        ms.Tensor([[np.log(0.05 / 0.95)]] * 2, ms.float32)
    ).asnumpy()[0, 0]


def mean_distance(centres):
    return np.linalg.norm(centres[:, None] - centres[None], axis=2).mean()


def mean_fid(rows):
    pairs = np.random.default_rng(5).standard_normal((60, 2, rows, 8))
    return np.mean([fid(a, b) for a, b in pairs])


def mean_length(averaged):
    sums = calculate(*[DRAWS] * 3, averaged, 999, np.random.default_rng(5))
    return np.linalg.norm(sums, axis=1).mean()


def first_warning():
    others, made = np.random.default_rng(5).uniform(-1, 1, (2, 100, 3, 8, 8))
    copies = [np.concatenate([made[:1].repeat(n, axis=0), made[n:]]) for n in range(99)]
    return [collapsed(others, x).fires for x in copies].index(True, 1)


def coin_answers():
    x, new = np.random.default_rng(5).standard_normal((2, 50, 500))
    coins = np.tile([[1.0], [-1.0]], (25, 1))
    said = [linear_answers(x, coins, rows, decay=1e-6) for rows in (x, new)]
    return (np.sign(said[0]) == coins).mean(), 0.5


ZOO, SMALL_D = Generator(100, 128, 32), Discriminator(64, 32)
GREY, SIGN = np.zeros((1, 3, 32, 32), np.float32), ms.Tensor([-1.0, 3.0])
NORM = nn.BatchNorm2d(1, 1e-9, 0.9, True, 0.9, 0.1, 0.5, 0.04)
LINE_MS = ms.Tensor([[[[-0.3, 0.3]]]])
LINE = np.array([[-1.0], [1.0]]) / 2**0.5
DRAWS = np.random.default_rng(8).standard_normal((100_000, 100))
STEPS = replace(PRESETS["imagenet32"], batch_size=128)
COURSE = {
    "01.1": lambda: next(create_dataset(np.full((1, 3, 2, 2), 204), 1)).max(),
    "01.2": lambda: steps_per_epoch(STEPS, 70_171),
    "01.3": lambda: vision.Resize(64)(np.zeros((96, 144, 3), np.uint8)).shape,
    "01.4": lambda: (1 + (np.tanh(DRAWS) < 0).mean()) / 2,
    "02.1": lambda: Generator(100, 64, 64).layers[0].weight.size,
    "02.2": lambda: [
        nn.Conv2d(1, 1, k, s, "pad", p)(ops.ones((1, 1, 20, 20))).shape[2]
        for k, s, p in ((4, 2, 1), (3, 1, 0), (5, 2, 2))
    ],
    "02.3": lambda: count_parameters(ZOO),
    "02.4": stamps,
    "03.1": lambda: loss_of_d(0.8, 0.3),
    "03.2": lambda: push(generator_loss) / push(lambda p: ops.log(1 - p).mean()),
    "03.3": lambda: next(n for n in range(99) if 1 - 0.9**n > 0.9),
    "03.4": turn_of_adam,
    "04.1": lambda: smooth([1, 2, 6, 10], window=3)[-1],
    "04.4": lambda: (smooth([0] * 500 + [1] * 500, 200) >= 0.5).argmax() - 499,
    "05.1": lambda: round(300 / mean_length(12) ** 2),
    "05.3": lambda: (DRAWS @ N > 2).mean(),
    "05.4": lambda: (move(DRAWS, N, 10) @ N).mean(),
    "06.1": lambda: fid(2 + 3 * LINE, 4 + 2 * LINE),
    "06.2": lambda: np.mean(
        [coverage(a, b, k=5) for a, b in DRAWS[:, :4].reshape(50, 2, 1000, 4)[:9]]
    ),
    "06.3": lambda: precision_recall(DRAWS[:1000, :8], DRAWS[-100:, :8])[1],
    "06.4": lambda: mean_fid(200) / mean_fid(400),
    "07.1": lambda: mean_distance(MODES[::2]) / mean_distance(MODES),
    "07.2": lambda: nn.BatchNorm2d(1, 0.9).set_train()(LINE_MS).asnumpy().std(),
    "07.3": lambda: loss_of_d(1.0, float(np.exp(-0.1))),
    "07.4": first_warning,
    "08.1": lambda: steps_per_epoch(STEPS, 10_000),
    "08.3": lambda: count_parameters(Generator(100, 64, 32)),
    "08.4": lambda: moved_by_sgd(2) / moved_by_sgd(1),
    "09.1": lambda: share([5, 2, 8, 1, 9, 4, 0, 3], Place(2, 4)),
    "09.4": lambda: {*range(10)}.difference(
        *(share(range(10), Place(rank, 4)) for rank in range(4))
    ),
    "10.1": lambda: len(Generator(100, 8, 128).layers),
    "10.2": lambda: NORM.set_train(False)(ms.Tensor([[[[0.7]]]])),
    "10.3": lambda: sum(p.size for p in ZOO.get_parameters()) * 4 / 1e6,
    "11.1": lambda: sum(layer.size for layer in pooled_features(SMALL_D, GREY)),
    "11.2": lambda: linear_answers(
        DRAWS[:10, :5], np.repeat([[1.0], [-1.0]], [3, 7], axis=0), np.ones((1, 5)), 1e9
    ),
    "11.3": lambda: ms.grad(lambda x: (GuidedReLU()(x) * SIGN).sum())(
        ms.Tensor([-1.0, 2.0])
    ),
    "11.4": coin_answers,
}


@pytest.mark.parametrize("number", COURSE)
def test_what_the_course_computes_is_right(number):
    assert "✓" in find_exercise(number).judge(COURSE[number]())


@every_number
def test_a_right_answer_is_right_in_any_form(number, capsys):
    value = expected(number)
    forms = [value, np.array(value), ms.Tensor(value), np.array([value]), str(value)]
    if np.ndim(value):
        forms += [list(value), [np.float64(v) for v in value], [str(v) for v in value]]
    else:
        forms += [float(value), [value], f"{value:,.5f}", np.float32(value)]
        forms += [f" {100 * value} %"] * (0 < value < 1)
    for yours in forms:
        check(number, yours, **GIVEN.get(number, {}))
        assert "✓" in capsys.readouterr().out, repr(yours)


@every_number
def test_a_foreseen_mistake_gets_its_hint_and_never_the_answer(number, capsys):
    mistakes = find_exercise(number).mistakes
    assert len(mistakes) >= 2
    for value, hint in mistakes:
        scalar = np.ndim(expected(number)) == 0
        check(number, np.mean(value) if scalar else value, **GIVEN.get(number, {}))
        said = capsys.readouterr().out
        assert hint in said and "✓" not in said, value
        answer = re.escape(short(expected(number)))
        assert not re.search(rf"(?<![\d.,]){answer}(?![\d.,]*\d)", hint), hint


@pytest.mark.parametrize("number", SOLVED)
def test_an_array_with_all_properties_is_right(number, capsys):
    for form in (np.asarray, ms.Tensor, list):
        check(number, form(SOLVED[number]), **GIVEN[number])
        assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "yours", "hint"), WRONG)
def test_an_array_is_judged_property_by_property(number, yours, hint, capsys):
    check(number, yours, then=pytest.fail, **GIVEN[number])
    said = capsys.readouterr().out
    assert hint in said and "✓" not in said


JUNK = ["a lot", "", float("nan"), [np.inf, 1], len, lambda *a: 1 / 0, object, b"12"]
JUNK += [[[1], [2, 3]], [[[]], []], np.zeros(3_000_000), {"a": 1}, {1, "a"}, 3 + 4j]
JUNK += [ms.Tensor(np.ones((2, 3, 1))), True, 10**400, (x for x in "ab")]


@every
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
def test_junk_is_neither_right_nor_an_error(number, junk, capsys):
    check(number, junk, **GIVEN.get(number, {}))
    said = capsys.readouterr().out
    assert said.strip() and "✓" not in said


@pytest.mark.parametrize(
    ("number", "yours", "hint"),
    [
        ("01.1", 0.8, "the range [0, 1]"),
        ("01.2", 548, "leaves the last batch out"),
        ("01.3", (64, 96), "channels are missing"),
        ("01.3", (96, 64, 3), "(width, height, channels)"),
        ("02.1", 819_712, "no bias"),
        ("02.2", (10, 18, 10.5), "no half pixel"),
        ("02.3", 3_446_784, "batch norms are missing"),
        ("03.1", 0.5798, "the half is missing"),
        ("03.1", -0.2899, "not below 0"),
        ("03.1", 0.1259, "natural logarithm"),
        ("03.1", float("nan"), "0/0"),
        ("03.1", len, "This is a function"),
        ("03.2", 1 / 19, "weaker"),
        ("03.1", 0.3, "give more digits"),
        ("05.3", 2.275, "not the percentage"),
        ("05.3", 0.0285, "fitted to these z"),
        ("05.3", 0.025, "fitted to these z"),
        ("06.2", 0.96, "give more digits"),
        ("06.2", 0.98, "one neighbour too many"),
        ("06.2", 1 - 2**-6, "one neighbour too many"),
        ("07.1", 0.945, "give more digits"),
        ("07.1", 0.978, "give more digits"),
        ("08.1", 78.5, "comes whole"),
        ("11.2", 0.4, "the sign is not"),
        ("02.3", 3_448_320, "not right yet"),
        ("01.3", (64, 96, 4), "2 of 3 numbers"),
        ("09.4", [9, 8], "another order"),
        ("01.3", 64, "has the shape [], not [3]"),
        ("03.1", [1, 2], "has the shape [2], not []"),
    ],
)
def test_a_near_miss_is_none(number, yours, hint, capsys):
    check(number, yours)
    said = capsys.readouterr().out
    assert hint in said and "✓" not in said


@pytest.mark.parametrize(
    "text", ["0.29", " 0,29 ", "29 %", "+0.29", "2.9e-1", ".29", "0.29 nats"]
)
def test_a_number_may_be_a_text(text):
    assert "✓" in Number(0.29).judge(text)
    assert "✓" in Number(-0.4).judge("−0.4")
    assert "✓" in Number(3_448_576).judge("3,448,576 weights")
