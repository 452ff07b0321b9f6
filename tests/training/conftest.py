"""What the tests of training share."""

import pytest
from small_runs import TINY

from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.training.model import build_dcgan


@pytest.fixture(scope="module")
def tiny():
    """A small untrained DCGAN, for tests that do not change its weights."""
    return build_dcgan(TINY)


@pytest.fixture
def pictures(faces_20):
    """20 pictures of 32 × 32."""
    return look_at_folder(faces_20, 32)
