"""Train the networks in ``weights/``, which lessons start from (``make weights``)."""

import os
import tempfile
import time
from dataclasses import replace

from dcgan_utils.settings import PROFILES, course_root

WEIGHTS_EPOCHS = 30  # of the class profile; lesson 03 trains 18


def make_weights() -> None:
    """Train the ``class`` networks on sample faces for longer and fill ``weights/``."""
    from dcgan_utils.device import choose_device

    choose_device()  # before MindSpore is imported: it reads its environment then
    from dcgan_utils.pictures.get import get_faces
    from dcgan_utils.taught.training import train
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.run import TrainingRun

    settings = replace(PROFILES["class"], epochs=WEIGHTS_EPOCHS)
    faces = get_faces(settings)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DCGAN_BUILD_DIR"] = folder
        started = time.monotonic()
        model = build_dcgan(settings)
        train(model, TrainingRun(model, faces))
        print(f"trained in {(time.monotonic() - started) / 60:.1f} minutes")
        trained = settings.run_dir
        keep_weights(trained, course_root() / "weights" / trained.name)


def keep_weights(run_dir, folder) -> None:
    """Copy what later lessons need of a run: networks, losses, frames and the ladder.

    The networks are the averaged generator and the discriminator, without optimizers.
    """
    import shutil

    from PIL import Image

    from dcgan_utils.training.checkpoint import (
        list_checkpoints,
        newest_checkpoint,
        save_checkpoint,
    )

    saved = newest_checkpoint(run_dir)
    shutil.rmtree(folder, ignore_errors=True)
    networks = [
        p
        for name, p in saved.items()
        if name.startswith(("average.", "discriminator."))
    ]
    save_checkpoint(
        folder, networks, saved["history"], saved["settings"], saved["pictures"]
    )
    (folder / "frames").mkdir()
    for frame in (run_dir / "frames").glob("epoch-*.png"):
        with Image.open(frame) as picture:  # a tenth of the bytes
            picture.save(folder / "frames" / f"{frame.stem}.jpg", quality=85)
    (folder / "ladder").mkdir()
    for rung in list_checkpoints(run_dir / "ladder"):
        if not (folder / rung.name).exists():  # the last one is there already
            shutil.copy2(rung, folder / "ladder")


if __name__ == "__main__":
    make_weights()
