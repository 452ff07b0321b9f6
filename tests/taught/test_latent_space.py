"""latent_space.py: arcs, directions, sums, and from a face back to its noise."""

import numpy as np
import pytest
from mindspore import nn

from dcgan_utils import CourseError
from dcgan_utils.taught.latent_space import (
    average_direction,
    calculate,
    draw,
    find_noise,
    linear_probe,
    move,
    onto_shell,
    pairs_right,
    share_of,
    slerp,
)
from dcgan_utils.taught.networks import Generator


@pytest.fixture(scope="module")
def generator():
    """A small generator of 32 pixels with moving statistics, so that faces differ."""
    generator = Generator(16, 4, 32)
    rng = np.random.default_rng(0)
    for p in generator.get_parameters():
        if "moving_variance" in p.name:
            p.set_data(p * 0.02)
        elif "gamma" not in p.name and "moving" not in p.name and p.ndim == 4:
            p.set_data(p * 3)
    assert draw(generator, rng.standard_normal((4, 16))).std(axis=0).mean() > 0.05
    return generator.set_train(False)


@pytest.fixture
def rng():
    return np.random.default_rng(21)  # not 1, from which find_noise starts


# --- arcs -------------------------------------------------------------------------


def test_the_arc_has_even_steps_on_the_sphere_and_both_ends(rng):
    first, last = onto_shell(rng.standard_normal((2, 100)))
    arc = slerp(first, last, np.linspace(0, 1, 9))
    assert np.allclose(arc[[0, -1]], [first, last])
    assert np.allclose(np.linalg.norm(arc, axis=1), 10)
    angles = np.arccos((arc[1:] * arc[:-1]).sum(axis=1) / 100)
    assert np.allclose(angles, angles[0])
    assert np.allclose(slerp(first, last, [0.25])[0], arc[2])


@pytest.mark.parametrize("factor", [1, 2, -1])
def test_the_arc_between_vectors_in_line_is_the_straight_road(factor):
    first = np.array([3.0, 4.0])
    arc = slerp(first, factor * first, [0, 0.5, 1])
    halfway = (1 + factor) / 2 * first
    assert np.allclose(arc, [first, halfway, factor * first])


def test_the_shell_has_the_radius_root_d(rng):
    z = onto_shell(rng.standard_normal((3, 5, 16)))
    assert np.allclose(np.linalg.norm(z, axis=-1), 4)
    moved = move(z[0], np.eye(16)[2], 2.0)
    assert np.allclose(np.linalg.norm(moved, axis=1), 4)
    assert (moved[:, 2] > z[0][:, 2]).all()
    assert np.allclose(move(z[0], np.eye(16)[2], 0), z[0])


# --- directions -------------------------------------------------------------------


@pytest.mark.parametrize("find", [average_direction, linear_probe])
def test_a_planted_direction_is_found(find, rng):
    planted = np.array([0.6, 0.0, -0.8, 0.0, 0.0])
    z = rng.standard_normal((4000, 5))
    has = z @ planted > 1  # of 16 % of the faces
    found = find(z, has)
    assert np.isclose(np.linalg.norm(found), 1)
    assert found @ planted > 0.99


def test_the_probe_does_what_averages_cannot(rng):
    """Where the noise is wider one way, the averages are drawn that way."""
    z = rng.standard_normal((4000, 2))
    z[:, 1] = 3 * z[:, 1] + 2 * z[:, 0]  # the second number follows the first
    has = z[:, 0] > 0
    assert linear_probe(z, has, steps=2000, rate=0.2, decay=0)[0] > 0.95
    assert average_direction(z, has)[0] < 0.6


@pytest.mark.parametrize("find", [average_direction, linear_probe])
@pytest.mark.parametrize("everybody", [True, False])
def test_where_all_are_alike_there_is_no_direction(find, everybody, rng):
    found = find(rng.standard_normal((10, 5)), np.full(10, everybody))
    assert found.tolist() == [0] * 5


def test_pairs_right():
    has = np.array([True, True, False, False])
    assert pairs_right(np.array([4, 3, 2, 1]), has) == 1
    assert pairs_right(np.array([4, 1, 2, 3]), has) == 0.5
    assert pairs_right(np.array([1, 2, 3, 4]), has) == 0
    assert np.isnan(pairs_right(np.arange(4), np.full(4, True)))


def test_shares_carry_wilsons_interval():
    share, low, high = share_of(np.arange(10) < 1)
    assert share == pytest.approx(0.1)
    # Wilson's formula, worked by hand for 1 of 10 with 1.96
    assert low == pytest.approx(0.0179, abs=1e-4)
    assert high == pytest.approx(0.4042, abs=1e-4)
    assert share_of(np.full(200, False))[2] == pytest.approx(0.0188, abs=1e-4)
    assert np.isnan(share_of(np.array([], bool))).all()


# --- sums -------------------------------------------------------------------------


def test_a_sum_takes_each_term_from_its_pool(rng):
    pools = [np.full((7, 4), value) for value in (100.0, 10.0, 1.0)]
    assert np.allclose(calculate(*pools, 3, 5, rng), np.full((5, 4), 91))


def test_sums_of_single_vectors_are_long_and_averages_of_three_lie_on_the_shell(rng):
    pools = rng.standard_normal((3, 1000, 100))
    for averaged, length in ((1, 300**0.5), (3, 10), (12, 5)):
        found = np.linalg.norm(calculate(*pools, averaged, 400, rng), axis=1)
        assert found.mean() == pytest.approx(length, rel=0.03)


def test_each_trial_draws_other_vectors(rng):
    sums = calculate(*rng.standard_normal((3, 50, 4)), 3, 20, rng)
    assert len(np.unique(sums[:, 0])) == 20


def test_an_empty_pool_is_told(rng):
    with pytest.raises(CourseError, match="No face has these labels"):
        calculate(np.ones((2, 4)), np.ones((0, 4)), np.ones((2, 4)), 1, 1, rng)


# --- from a face back to noise ----------------------------------------------------


def test_the_noise_of_made_faces_is_found_and_that_of_dots_is_not(generator, rng):
    made = draw(generator, onto_shell(rng.standard_normal((3, 16))))
    dots = rng.uniform(-1, 1, (2, 3, 32, 32)).astype(np.float32)
    before = [p.asnumpy().copy() for p in generator.get_parameters()]
    found, distances = find_noise(
        generator, np.concatenate([made, dots]), starts=4, steps=150, rate=0.2
    )
    assert found.shape == (4, 5, 16)
    assert distances.shape == (4, 5)
    assert np.allclose(np.linalg.norm(found, axis=-1), 4, rtol=1e-4)
    best = distances.min(axis=0)
    apart = np.sqrt(((made[0] - made[1]) ** 2).mean())
    assert best[:3].max() < apart / 4
    assert best[3:].min() > dots.std() * 0.9
    again = draw(generator, found[distances[:, 0].argmin(), :1])
    assert np.sqrt(((again - made[:1]) ** 2).mean()) == pytest.approx(best[0], rel=1e-3)
    after = [p.asnumpy() for p in generator.get_parameters()]
    assert all((a == b).all() for a, b in zip(before, after))


def test_a_search_is_the_same_again_and_each_face_on_its_own(generator, rng):
    faces = draw(generator, rng.standard_normal((2, 16)))
    both = find_noise(generator, faces, starts=1, steps=5)[0]
    again = find_noise(generator, faces, starts=1, steps=5)[0]
    alone = find_noise(generator, faces[:1], starts=1, steps=5)[0]
    assert (both == again).all()
    assert np.allclose(both[:, :1], alone, atol=1e-4)


def test_a_search_takes_batch_norm_as_it_is(generator, rng):
    faces = draw(generator, rng.standard_normal((2, 16)))
    norms = [c for _, c in generator.cells_and_names() if isinstance(c, nn.BatchNorm2d)]
    before = [n.moving_mean.asnumpy().copy() for n in norms]
    generator.set_train(True)
    find_noise(generator, faces, starts=1, steps=3)
    assert not generator.training
    for norm, mean in zip(norms, before):
        assert (norm.moving_mean.asnumpy() == mean).all()


def test_pictures_of_another_size_are_told(generator):
    with pytest.raises(CourseError, match="as large as the generator draws"):
        find_noise(generator, np.zeros((1, 3, 96, 96), np.float32))
