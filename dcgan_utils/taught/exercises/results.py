"""Exercises of lesson 04."""

import numpy as np

from .kinds import Number, Properties


def _is(vectors, numbers, noise):
    return np.allclose(vectors, noise.asnumpy()[numbers], atol=1e-4)


def _even(walk, noise):
    return np.allclose(np.diff(walk, axis=0), (walk[-1] - walk[0]) / 7, atol=1e-4)


EXERCISES = {
    "04.1": Number(6.0)
    .hint(4.75, "that is the mean of all four: the window holds three")
    .hint(3.0, "that is the window of the third value: the last is asked for")
    .hint(8.0, "that is a window of two: the value itself and two before it"),
    "04.2": Properties(lambda noise: (1, *noise.shape[1:]))
    .must("counted from 0", lambda z, noise: not _is(z, [4], noise), "it is number 4")
    .must("number 5", lambda z, noise: _is(z, [5], noise), "it is another vector"),
    "04.3": Properties(lambda noise: (8, *noise.shape[1:]))
    .must(
        "starts at noise[0]", lambda z, noise: _is(z[0], 0, noise), "begin with share 0"
    )
    .must("ends at noise[1]", lambda z, noise: _is(z[-1], 1, noise), "end with share 1")
    .must("equal steps", _even, "on a straight line all seven are the same"),
    "04.4": Number(100)
    .hint(25, "so it is with the window of 50: take 200")
    .hint(99, "99 values later it stands just below the half")
    .hint((599, 600), "count from the jump, not from the start")
    .hint(200, "by then it has arrived: it is half way earlier"),
}
