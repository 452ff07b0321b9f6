"""``dcgan check``: a line for each thing, and the exit code."""

import shutil
from types import SimpleNamespace

import mindspore as ms
import psutil
import pytest
from shell import dcgan


@pytest.mark.parametrize(
    ("memory", "disk", "checked", "told"),
    [
        (4, 3, "successfully", None),
        (2, 3, "successfully", "2.0 GB of memory free (3 GB are needed)"),
        (4, 1, "successfully", "1.0 GB of disk free (2 GB are needed)"),
        (4, 3, "no", "on CPU: its own check FAILED"),
        (4, 3, 1 / 3, "MindSpore does not run: can only concatenate str"),
    ],
)
def test_each_line_says_whether_it_is_good(memory, disk, checked, told, monkeypatch):
    there = SimpleNamespace(available=memory * 1e9, free=disk * 1e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: there)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: there)
    monkeypatch.setattr(ms, "run_check", lambda: print("It runs: " + checked))
    done = dcgan("check")
    *lines, last = done.out.splitlines()
    bad = [line for line in lines if not line.startswith("ok ")]
    assert len(lines) == 5 and done.code == len(bad) == bool(told)
    assert last.startswith("NOT ready" if told else "ready")
    assert all(line.startswith("NO ") and told in line for line in bad)
