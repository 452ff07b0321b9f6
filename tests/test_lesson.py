"""lesson.py: the self-check of the exercises."""

import numpy as np
import pytest

from dcgan_utils.lesson import check


@pytest.mark.parametrize("nothing", [..., None, [1, ...], [None]])
def test_no_answer_yet_is_no_error(nothing, capsys):
    check("03.1", nothing)
    assert "No answer yet" in capsys.readouterr().out


def test_a_right_answer_goes_on_and_a_wrong_one_does_not(capsys):
    went_on = []
    for yours in ([9, 5], [9, 4]):
        check("09.1", yours, then=went_on.append)
    assert [array.tolist() for array in went_on] == [[9, 4]]
    wrong, right = capsys.readouterr().out.splitlines()
    assert wrong == "yours (9, 5): 1 of 2 numbers are right."
    assert right == "yours (9, 4) ✓"


@pytest.mark.parametrize("number", ["3.1", "03.9", "99.1", 3.1, np.zeros(3), [1]])
def test_an_unknown_exercise_is_one_sentence(number, capsys):
    check(number, 1)
    assert "There is no exercise" in capsys.readouterr().out


def test_what_fails_in_ways_of_its_own_is_one_sentence(capsys):
    class Broken:
        def __array__(self, *args, **kwargs):
            raise ZeroDivisionError

    check("03.1", Broken())
    check("04.3", [1, 2])  # the noise is not handed in
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "This answer cannot be read: ZeroDivisionError.",
        "This answer cannot be read: TypeError.",
    ]
