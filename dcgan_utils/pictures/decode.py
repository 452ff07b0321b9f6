"""One file to one square picture: opened, judged, upright, on white, RGB, resized."""

import errno
import os
import stat
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 100_000_000  # a picture of 300 MB once decoded
TOO_LARGE = f"of more than {MAX_PIXELS // 10**6} million pixels"
MIN_SIDE = 8  # nothing can be seen in fewer pixels
MAX_SHAPE = 20  # long side to short side: of a longer strip the middle shows nothing
# What Pillow names but does not decode by itself: an EPS would start Ghostscript.
OTHERS = {"EPS", "WMF", "MPEG", "HDF5", "BUFR", "GRIB", "FITS", "SPIDER", "IM", "IMT"}
NOT_READ = "not read"  # this time, that is: the file may well be sound


class NotAPicture(Exception):
    """A file that cannot be used; the words say why."""


@cache
def formats() -> list[str]:
    """The formats that are read: all that Pillow decodes by itself."""
    Image.init()
    common = "JPEG", "PNG", "WEBP"  # first, for Pillow tries one after another
    return [*common, *(n for n in Image.ID if n not in OTHERS | set(common))]


@cache
def picture_endings() -> set[str]:
    """The endings of file names that promise a picture: ".jpg", ".webp", …"""
    kinds = {*formats(), "MPO"}  # what a phone's JPEG with a second picture is called
    return {end for end, kind in Image.registered_extensions().items() if kind in kinds}


def read_picture(path, image_size) -> np.ndarray:
    """The middle square of a picture, [3, image_size, image_size] uint8.

    Of a film the first picture. Raises NotAPicture with the reason where the file is
    none, is damaged, or has a side that is too short or too long.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would keep us waiting
            raise NotAPicture("no regular file")
        with Image.open(path, formats=formats()) as picture:
            _judge_size(*picture.size)
            # A large JPEG is decoded at a half, a quarter, an eighth of its size, never
            # below twice the size wanted.
            picture.draft("RGB", (2 * image_size, 2 * image_size))
            upright = ImageOps.exif_transpose(picture)
            square = (image_size, image_size)
            # Hamming is as sharp as the bilinear of MindSpore's Resize, and takes the
            # mean of all pixels where a large picture becomes small.
            method = Image.Resampling.HAMMING
            picture = ImageOps.fit(as_rgb(upright), square, method)
    except NotAPicture:
        raise
    except Exception as error:  # Pillow's readers raise many kinds on nonsense
        raise NotAPicture(_reason(path, error)) from None
    return np.asarray(picture).transpose(2, 0, 1)


def _reason(path, error) -> str:
    if isinstance(error, PermissionError):
        return "not allowed to be read"
    if isinstance(error, MemoryError):
        return f"{NOT_READ} (out of memory)"
    # Pillow's own errors have no number, and nonsense in a file leads to EINVAL.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return f"{NOT_READ} ({error.strerror})"
    if isinstance(error, Image.DecompressionBombError):
        return TOO_LARGE
    ending = path.suffix.lower()
    return "damaged" if ending in picture_endings() else ending or "without an ending"


def _judge_size(width, height):
    short, long = sorted((width, height))
    if short * long > MAX_PIXELS:
        raise NotAPicture(TOO_LARGE)
    if short < MIN_SIDE:
        raise NotAPicture(f"with a side of less than {MIN_SIDE} pixels")
    if long > MAX_SHAPE * short:
        raise NotAPicture(f"more than {MAX_SHAPE} times as long as wide")


def as_rgb(picture) -> Image.Image:
    """A picture of any mode as RGB; what is transparent is laid on white."""
    if picture.mode == "F":
        raise NotAPicture("of floating-point numbers")
    if picture.mode.startswith("I"):  # 16 bits, which convert would cut off at 255
        grey = np.asarray(picture, np.float64)
        deep = picture.mode != "I" or grey.max() > 255
        grey = np.clip(grey / 257 if deep else grey, 0, 255)
        picture = Image.fromarray(grey.round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")
