"""Exercises of lesson 05."""

import numpy as np

from .kinds import Number, Properties


def _rest(n, m):
    return np.linalg.norm(n - (n @ m) * m)


def _has_no_m(yours, n, m):
    return abs(yours @ m) < 1e-4


def _has_length_1(yours, n, m):
    return abs(yours @ yours - (_rest(n, m) > 1e-9)) < 1e-4  # or 0, of zeros


def _along_rest(yours, n, m):
    return abs(yours @ n - _rest(n, m)) < 1e-4


EXERCISES = {
    "05.1": Number(12)
    .hint(4, "4 is right for one term alone: three are added")
    .hint(2 * 3**0.5, "lengths add in squares")
    .hint(60, "300 is divided by the length itself, not by its square"),
    "05.2": Properties(lambda n, m: n.shape)
    .must("at a right angle to m", _has_no_m, "take m away from n, n · m times")
    .must("length 1", _has_length_1, "divide it by its own length")
    .must("along the rest of n", _along_rest, "it points elsewhere, or the other way"),
    "05.3": Number(0.02275, tolerance=0.0022)
    .hint((0.0175, 0.0205), "three decimals, please, of 100,000 fresh z")
    .hint((0.02495, 0.033), "too much. If n was fitted to these z: draw fresh ones")
    .hint(0.0455, "that is both sides, above 2 and below −2")
    .hint(0.97725, "that is the other side, up to 2"),
    "05.4": Number(7.07, tolerance=0.05)
    .hint((9.5, 10.5), "you asked for so many. Let `move` put the vectors on the shell")
    .hint((2.7, 3.0), "so it is for 3 units: ask for 10")
    .hint((-0.1, 0.1), "that is before the move, or along another direction"),
}
