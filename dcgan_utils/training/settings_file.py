"""settings.toml: what a run was trained with, as options that ``dcgan train`` takes.

Light: it imports no MindSpore.
"""

import json
import sys
from pathlib import Path

from .. import CourseError
from ..files import whole_file
from ..settings import recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "settings.toml"
ABOUT = (
    "# What this run was trained with. Another one: dcgan train --config THIS --out DIR"
)


def options_of(settings, workers, keep) -> dict:
    """The options of ``dcgan train``, but --out, that lead to these settings.

    keep: how many checkpoints.
    """
    options = {"preset": settings.profile, **recipe(settings)}
    options |= {"workers": workers, "keep": keep}
    del options["profile"]
    options["batch_size"] //= workers  # --batch-size is that of each
    if settings.data == "folder":
        options["data"] = str(settings.data_dir.absolute())
    return options


def words_of(options) -> list[str]:
    """Options by name as words of the command line: ``--batch-size=8``."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


def write_options(folder, options):
    """Write options to ``folder/settings.toml``."""
    lines = [f"{n} = {json.dumps(v, ensure_ascii=False)}" for n, v in options.items()]
    with whole_file(Path(folder) / NAME) as part:
        text = "\n".join([ABOUT, *lines, ""])
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_options(path) -> dict:
    """The options in a settings file. Raises CourseError where it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        told = "is no settings file of lines such as epochs = 20"
        raise CourseError(f"{path} {told} ({error})") from None
