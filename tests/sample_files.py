"""Small pictures, and folders and archives of them, for the tests of pictures/."""

import io
import zipfile
from pathlib import Path

from PIL import Image


def picture(mode="RGB", size=(16, 12), form="JPEG", **options) -> bytes:
    """The bytes of a small colourful picture."""
    red = Image.linear_gradient("L").resize(size)
    rgb = Image.merge("RGB", (red, red.rotate(90), Image.new("L", size, 90)))
    data = io.BytesIO()
    rgb.convert(mode).save(data, form, **options)
    return data.getvalue()


def folder(root: Path, **files: bytes) -> Path:
    """root/faces with 0.jpg, 1.jpg, 2.jpg and whatever else."""
    (root / "faces").mkdir(parents=True)
    for i in range(3):
        (root / "faces" / f"{i}.jpg").write_bytes(picture())
    for name, data in files.items():
        (root / "faces" / name.replace("_", ".")).write_bytes(data)
    return root


def archive(*names: str) -> bytes:
    """A zip of pictures with these names, all different; by default three faces."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for i, name in enumerate(names or [f"faces/{i}.jpg" for i in range(3)]):
            packed.writestr(name, picture(quality=60 + i))
    return data.getvalue()


def tree(top: Path) -> list[str]:
    return sorted(str(p.relative_to(top).as_posix()) for p in top.rglob("*"))
