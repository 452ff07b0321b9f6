"""Folders and files that this process may not touch, even where root runs the tests."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def nobody():
    """Without root's rights, where this process has them: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def public_folder():
    """An empty folder that nobody can reach, too: pytest's tmp_path is the user's own.

    It is gone afterwards.
    """
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
