"""Is this machine ready? ``python -m dcgan_utils check`` says it line by line."""

import contextlib
import io
import shutil
import sys

from .. import CourseError
from ..settings import course_root


def check_machine() -> bool:
    """Say line by line whether this machine is ready; True if every line is good."""
    lines = [_python(), _numpy(), _mindspore(), _memory(), _disk()]
    for good, text in lines:
        print(f"{'ok ' if good else 'NO '} {text}")
    return all(good for good, _ in lines)


def _python():
    version = sys.version_info
    good = (3, 10) <= version[:2] <= (3, 12)
    return good, f"Python {version[0]}.{version[1]} (3.10, 3.11 or 3.12 is needed)"


def _numpy():
    import numpy

    good = int(numpy.__version__.split(".")[0]) < 2
    advice = "below 2, as MindSpore needs" if good else "run: pip install 'numpy<2'"
    return good, f"NumPy {numpy.__version__} ({advice})"


def _mindspore():
    from ..device import choose_device

    try:
        device = choose_device()
        import mindspore as ms

        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            ms.run_check()
    except CourseError as error:
        return False, str(error)
    except Exception as error:  # whatever is broken, the line must say it
        return False, f"MindSpore does not run: {error}"
    good = "successfully" in said.getvalue()
    result = "its own check passed" if good else "its own check FAILED"
    return good, f"MindSpore {ms.__version__} on {device}: {result}"


def _memory():
    import psutil

    gigabytes = psutil.virtual_memory().available / 1e9
    return gigabytes >= 3, f"{gigabytes:.1f} GB of memory free (3 GB are needed)"


def _disk():
    gigabytes = shutil.disk_usage(course_root()).free / 1e9
    return gigabytes >= 2, f"{gigabytes:.1f} GB of disk free (2 GB are needed)"
