"""Where a training stands: all workers see the same pictures."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident

import numpy as np
import pytest

from dcgan_utils import CourseError
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.training import state
from dcgan_utils.training.state import agree_on_pictures
from dcgan_utils.training.workers import ALONE, Place


def agree(monkeypatch, hosts):
    """What agree_on_pictures gives each of two workers, here threads."""
    barrier, given = Barrier(2), {}

    def gather(numbers):
        given[get_ident()] = list(numbers)
        barrier.wait()
        rows = np.array(list(given.values()))
        barrier.wait()
        return rows

    monkeypatch.setattr(state, "gather", gather)
    with ThreadPoolExecutor(2) as workers:
        places = Place(0, 2), Place(1, 2)
        return list(workers.map(agree_on_pictures, hosts, places))


@pytest.fixture
def hosts(faces_20, tmp_path):
    shutil.copytree(faces_20, tmp_path / "other")
    return faces_20, tmp_path / "other"


def test_alone_and_with_the_same_pictures_nothing_changes(hosts, monkeypatch):
    first, second = (look_at_folder(root, 32) for root in hosts)
    assert agree_on_pictures(first, ALONE) is first
    assert agree(monkeypatch, [first, second]) == [first, second]


def test_a_picture_that_one_host_cannot_read_is_used_by_none(hosts, monkeypatch):
    (hosts[1] / "faces" / "003.png").write_bytes(b"damaged")
    pictures = agree(monkeypatch, [look_at_folder(root, 32) for root in hosts])
    assert len(pictures[0]) == len(pictures[1]) == 19
    assert pictures[0].names == pictures[1].names
    assert pictures[0].left_out == {"faces/003.png": "not whole on every host"}
    assert pictures[0].fingerprint() == pictures[1].fingerprint()


@pytest.mark.parametrize("how", ["one more", "another"])
def test_other_pictures_are_refused(hosts, monkeypatch, how):
    name = "020.png" if how == "one more" else "003.png"
    shutil.copy(hosts[1] / "faces" / "005.png", hosts[1] / "faces" / name)
    looked = [look_at_folder(root, 32) for root in hosts]
    with pytest.raises(CourseError, match="Not all workers see the same pictures"):
        agree(monkeypatch, looked)
