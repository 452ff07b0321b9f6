"""Work on all cores: in order, and where a process ends too early or none starts."""

import os
from functools import partial

import pytest

from dcgan_utils.processes import on_all_cores


def leave(part, first):
    if part == 3 and os.getpid() != first:
        os._exit(9)  # as where the memory is full
    return part


def test_what_a_process_leaves_is_done_here(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    work = partial(leave, first=os.getpid())
    assert list(on_all_cores(work, range(9))) == list(range(9))


def test_an_error_in_the_work_comes_through():
    results = on_all_cores(int, ["1", "x", "2"])
    assert next(results) == 1
    with pytest.raises(ValueError, match="'x'"):
        next(results)


def test_where_no_process_can_be_started_this_one_works(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    assert list(on_all_cores(abs, [-1, -2])) == [1, 2]
