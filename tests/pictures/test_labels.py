"""labels.py: which faces have these labels."""

import numpy as np
import pytest

from dcgan_utils import CourseError
from dcgan_utils.pictures.labels import having

LABELS = {
    "hair_colour": np.array(["blue", "brown", "blue"]),
    "tilt": np.array(["left", "left", "right"]),
}


def test_having_wants_all_labels_at_once():
    assert having(LABELS, hair_colour="blue").tolist() == [True, False, True]
    both = having(LABELS, hair_colour="blue", tilt="left")
    assert both.tolist() == [True, False, False]
    assert not having(LABELS, hair_colour="aqua").any()


def test_a_label_that_does_not_exist_is_named_with_the_way_out():
    with pytest.raises(CourseError, match=r"'Blue'.* one of brown, .*blue"):
        having(LABELS, hair_colour="Blue")
    with pytest.raises(CourseError, match=r"the attributes are hair_colour, "):
        having(LABELS, hair="blue")
