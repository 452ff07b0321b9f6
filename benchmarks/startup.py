"""What passes between ``import dcgan_utils`` and the first loss, in the class profile.

    python benchmarks/startup.py FOLDER_OF_CLASS_FOLDERS

Prints one JSON line: what → seconds.
"""

import json
import sys
import time

MARKS = [("start", time.perf_counter())]


def mark(what):
    """Note that this is done now."""
    MARKS.append((what, time.perf_counter()))


def main():
    """Go through the start of lesson 03 and time its parts."""
    import dcgan_utils  # noqa: F401
    from dcgan_utils.device import choose_device
    from dcgan_utils.settings import PROFILES

    choose_device("cpu")
    mark("import MindSpore, choose the device")
    from dcgan_utils.pictures.folder import look_at_folder
    from dcgan_utils.taught.data import create_dataset
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.noise import step_noise

    settings = PROFILES["class"]
    model = build_dcgan(settings)
    mark("build networks and optimizers")
    batch = next(create_dataset(look_at_folder(sys.argv[1], 64), 16))
    mark("read the first batch from files")
    step = model.train_step()
    step(batch, step_noise(settings, 0))[0].asnumpy()
    mark("compile and run the first step")
    step(batch, step_noise(settings, 1))[0].asnumpy()
    mark("the second step, for comparison")
    times = {
        what: moment - before for (_, before), (what, moment) in zip(MARKS, MARKS[1:])
    }
    print(json.dumps(times))


if __name__ == "__main__":
    main()
