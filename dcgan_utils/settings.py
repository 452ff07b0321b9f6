"""Settings: one frozen dataclass, the three profiles and the presets that fill it."""

import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from . import CourseError


@dataclass(frozen=True)
class Settings:
    """Everything that decides how a lesson runs.

    The values below are those of the published tutorial, which the ``full`` profile
    keeps. The comments give the tutorial's own names.
    """

    profile: str = "full"
    data: str = "anime"  # "sample" (drawn by us), "anime" (downloaded) or "folder"
    face_count: int = 0  # pictures of one epoch; 0 means all there are
    image_size: int = 64
    latent_size: int = 100  # nz
    generator_maps: int = 64  # ngf
    discriminator_maps: int = 64  # ndf
    batch_size: int = 128
    epochs: int = 10
    generator_rate: float = 2e-4  # lr
    discriminator_rate: float = 2e-4  # lr
    beta1: float = 0.5
    real_label: float = 1.0  # what D is asked to say of a real picture
    average_decay: float = 0.0  # moving average of G's weights; 0 means none
    seed: int = 1
    # Where things are, not what is computed: a training that is moved stays the same.
    pictures: str = field(default="", compare=False)  # a folder of pictures
    out: str = field(default="", compare=False)  # the run folder

    @property
    def data_dir(self) -> Path:
        """The folder of the pictures: ``pictures``, else that of ``data``."""
        if self.pictures:
            return Path(self.pictures)
        if self.data == "sample":
            return data_base() / f"sample-{self.face_count}"
        return data_base() / self.data

    @property
    def build_dir(self) -> Path:
        """The folder of all results: the GIF, the loss plot, the new faces."""
        return build_base()

    @property
    def run_dir(self) -> Path:
        """The folder of this training run: ``out``, else one in ``build_dir``."""
        if self.out:
            return Path(self.out)
        name = f"-{Path(self.pictures).name}" if self.pictures else ""
        return self.build_dir / f"{self.profile}-{self.data}{name}"


PROFILES = {
    "smoke": Settings(
        profile="smoke",
        data="sample",
        face_count=64,
        generator_maps=8,
        discriminator_maps=8,
        batch_size=16,
        epochs=2,
        generator_rate=4e-4,
        discriminator_rate=4e-4,
        real_label=0.9,
        average_decay=0.9,
    ),
    "class": Settings(
        profile="class",
        data="sample",
        face_count=4096,
        generator_maps=24,
        discriminator_maps=16,
        batch_size=16,
        epochs=20,
        generator_rate=4e-4,
        discriminator_rate=4e-4,
        real_label=0.9,
        average_decay=0.99,
    ),
    "full": Settings(),
}


# What ``dcgan train --preset`` takes: the profiles, and the DCGAN of the ModelZoo with
# the values of its code and its log (20 epochs; its README says 100).
PRESETS = {
    **PROFILES,
    "imagenet32": Settings(
        profile="imagenet32",
        data="folder",
        image_size=32,
        generator_maps=128,  # 64 × 2 in the published code
        discriminator_maps=128,
        epochs=20,
    ),
}


def course_root() -> Path:
    """The course's top folder, found upwards from here; else the present folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dcgan_utils" / "settings.py").exists():
            return folder
    return here


def data_base() -> Path:
    """Where the course's pictures lie: ``DCGAN_DATA_DIR``, else ``data``."""
    base = os.environ.get("DCGAN_DATA_DIR")
    return Path(base).expanduser() if base else course_root() / "data"


def build_base() -> Path:
    """Where results go: ``DCGAN_BUILD_DIR``, else ``build``."""
    base = os.environ.get("DCGAN_BUILD_DIR")
    return Path(base).expanduser() if base else course_root() / "build"


def load_settings(**changes) -> Settings:
    """The settings named by ``DCGAN_PROFILE`` and ``DCGAN_DATA``, then ``changes``.

    ``DCGAN_PROFILE`` is ``smoke``, ``class`` (default) or ``full``; ``DCGAN_DATA`` is
    ``sample``, ``anime`` or a folder of pictures (default: the profile's own). Raises
    CourseError for any other word.
    """
    profile = os.environ.get("DCGAN_PROFILE") or "class"
    if profile not in PROFILES:
        raise CourseError(
            f"DCGAN_PROFILE={profile} is no profile: use smoke, class or full."
        )
    settings = PROFILES[profile]
    data = changes.pop("data", None) or os.environ.get("DCGAN_DATA") or settings.data
    if data not in ("sample", "anime"):
        changes = {"pictures": str(_folder_named(data)), **changes}
        data = "folder"
    if data == "sample" and not settings.face_count:
        changes = {"face_count": 20_000, **changes}
    return replace(settings, data=data, **changes)


def _folder_named(data) -> Path:
    """The folder that DCGAN_DATA names, from here or from the course's top folder."""
    for base in (Path.cwd(), course_root()):
        folder = base / Path(data).expanduser()
        if folder.is_dir():
            return folder
    raise CourseError(
        f"DCGAN_DATA={data} is no data set and no folder: use sample, anime, or the "
        "path of a folder of pictures."
    )


def recipe(settings: Settings) -> dict:
    """What decides the numbers of a training: every setting but the folders."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.compare}


def settings_table(settings: Settings) -> str:
    """The settings as lines of ``name  value``, to be printed in a lesson."""
    rows = recipe(settings).items()
    return "\n".join(f"{name:<20} {value}" for name, value in rows)
