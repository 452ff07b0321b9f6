"""A real training run, watched: who waits for data, and does memory grow?

    python benchmarks/training_run.py FOLDER_OF_CLASS_FOLDERS wait|memory

Prints one JSON line. wait: {"share": s}, the share of the training time in which the
loop waits for its next batch, over one epoch of the class profile. memory:
{"megabytes": [...]}, the resident memory after each of 20 epochs of 64 steps.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace

import psutil

from dcgan_utils.device import choose_device
from dcgan_utils.settings import PROFILES


def main():
    """Train in a folder of its own and print what was seen."""
    choose_device("cpu")
    from dcgan_utils.pictures.folder import look_at_folder
    from dcgan_utils.taught.training import make_average_step
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.run import TrainingRun

    root, what = sys.argv[1:3]
    if what == "memory":
        s = replace(PROFILES["smoke"], face_count=1024, epochs=20)
    else:
        s = replace(PROFILES["class"], epochs=2)
    waited, megabytes, started = 0.0, [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        model = build_dcgan(replace(s, out=folder))
        step = model.train_step()
        average = make_average_step(model.generator, model.average, s.average_decay)
        sys.stdout = sys.stderr  # the progress bar; the result alone goes to the output
        pictures = look_at_folder(root, s.image_size)
        with TrainingRun(model, pictures) as run:
            for epoch in run.epochs():
                if epoch == 1:  # the first one compiles
                    waited, started = 0.0, time.perf_counter()
                asked = time.perf_counter()
                for real in run.batches(epoch):
                    waited += time.perf_counter() - asked
                    losses = step(real, run.noise())
                    average(run.step)
                    run.record(*losses)
                    asked = time.perf_counter()
                seconds = time.perf_counter() - started
                run.end_epoch(epoch)
                megabytes.append(psutil.Process().memory_info().rss / 1e6)
        sys.stdout = sys.__stdout__
    result = {"share": waited / seconds} if what == "wait" else {"megabytes": megabytes}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
