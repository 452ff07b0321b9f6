"""Get the pictures that the settings name: drawn by us, or downloaded."""

from pathlib import Path

from .. import CourseError
from ..settings import Settings, course_root
from .download import ANIME_COUNT, download_faces
from .folder import aside_of, check_faces
from .sample import draw_sample_faces


def get_faces(settings: Settings) -> Path:
    """Make sure that the pictures of ``settings.data`` are there, checked, and where.

    Returns ``settings.data_dir``, the folder for ``ImageFolderDataset``. Draws the
    sample faces or downloads the anime faces if they are missing, never one in place
    of the other. Raises CourseError, as the three functions below do, and where the
    folder may not be read.
    """
    root = settings.data_dir
    try:
        if settings.data == "sample":
            draw_sample_faces(root, settings.face_count)
        else:
            download_faces(root)
        report = check_faces(root)
        if settings.data == "sample" and report.damaged:
            draw_sample_faces(root, settings.face_count)
            report = check_faces(root)
    except OSError as error:
        raise CourseError(
            f"{error.filename or root} cannot be read ({error.strerror}): get yourself "
            "the right to, or set DCGAN_DATA_DIR to a folder of your own."
        ) from None
    count = f"{report.count:,}"
    if settings.data == "anime" and report.count < ANIME_COUNT:
        count += f" of {ANIME_COUNT:,}"
    line = f"{count} pictures in {_short(root)}, {len(report.damaged)} damaged"
    if report.damaged:
        line += f" (set aside in {_short(aside_of(root))})"
    if report.converted:
        line += f", {len(report.converted)} rewritten as RGB"
    print(line)
    return root


def _short(path: Path) -> Path:
    """The path as seen from the course's folder, for a line that is stored."""
    try:
        return path.absolute().relative_to(course_root())
    except ValueError:
        return path
