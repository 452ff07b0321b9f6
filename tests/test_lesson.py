"""lesson.py: the self-check of the exercises."""

import numpy as np
import pytest

from dcgan_utils.lesson import check


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (0.6, np.float32(0.6)),
        (549, 549),
        ([1, 2], [1, 2]),
        (True, True),
        ("Yes", "yes"),
    ],
)
def test_a_right_answer_gets_a_tick(yours, expected, capsys):
    check(yours, expected)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (0.61, np.float32(0.6)),
        (3_448_320, 3_448_576),  # near, but a count is right or wrong
        ([1, 2], [2, 1]),
        ([1, 2], [1, 2, 3]),
        (False, True),
        ("0.6", 0.6),
        ("no", "yes"),
    ],
)
def test_a_wrong_answer_gets_no_tick_and_no_solution(yours, expected, capsys):
    check(yours, expected)
    said = capsys.readouterr().out
    assert "✓" not in said and "expected" not in said


@pytest.mark.parametrize("nothing", [..., None])
def test_no_answer_yet_is_no_error(nothing, capsys):
    check(nothing, 1)
    assert "No answer yet" in capsys.readouterr().out
