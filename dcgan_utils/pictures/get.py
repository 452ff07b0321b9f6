"""Get the pictures that the settings name: drawn by us, downloaded, or a folder's."""

from .. import CourseError
from ..settings import Settings
from .download import download_faces
from .folder import Pictures, look_at_folder, printable
from .sample import CLASS, draw_sample_faces


def get_faces(settings: Settings) -> Pictures:
    """The pictures of ``settings``, looked at; one line says how many.

    Draws the sample faces or downloads the anime faces if they are missing, never one
    in place of the other. Raises CourseError, as the functions below do, where there
    are fewer than one batch, and where the results would lie among the pictures.
    """
    root = settings.data_dir
    refuse_results_among_pictures(settings)
    try:
        if settings.data == "sample":
            draw_sample_faces(root, settings.face_count)
        elif settings.data == "anime":
            download_faces(root)
    except OSError as error:
        raise CourseError(
            f"{error.filename or root} cannot be read ({error.strerror}): get yourself "
            "the right to, or set DCGAN_DATA_DIR to a folder of your own."
        ) from None
    # No more than all epochs together can use.
    at_most = settings.face_count * settings.epochs
    pictures = look_at_folder(root, settings.image_size, at_most)
    if settings.data == "sample" and len(pictures) < settings.face_count:
        pictures = _draw_anew(settings, pictures)
    print(pictures.summary())
    need_a_batch(pictures, settings.batch_size)
    return pictures


def refuse_results_among_pictures(settings):
    """Raise CourseError where a training's results would be taken for pictures."""
    root, results = settings.data_dir.resolve(), settings.run_dir.resolve()
    if root in (results, *results.parents):
        raise CourseError(
            f"The results would go to {results}, among the pictures in {root}, and be "
            "taken for some: set DCGAN_BUILD_DIR (in a shell: --out) to another folder."
        )


def need_a_batch(pictures, batch_size):
    """Raise CourseError where there are fewer pictures than one batch takes."""
    if len(pictures) < batch_size:
        raise CourseError(
            f"{printable(pictures.root)} holds {len(pictures)} usable pictures, fewer "
            f"than one batch of {batch_size}: add pictures or lower batch_size (in a "
            "shell: --batch-size)."
        )


def _draw_anew(settings, pictures):
    """Damaged sample faces are ours to replace, unless the folder may only be read.

    What else lies there is not.
    """
    faces = {f"{CLASS}/{i}.jpg" for i in range(settings.face_count)}
    try:
        for name in faces & set(pictures.left_out):
            (pictures.root / name).unlink()
    except OSError:
        return pictures
    draw_sample_faces(pictures.root, settings.face_count)
    return look_at_folder(pictures.root, settings.image_size)
