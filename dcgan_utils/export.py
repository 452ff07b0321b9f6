"""Take a generator out of the course: MindIR for MindSpore, ONNX for all others.

Taught in lesson 10; a test keeps both texts the same.
"""

import copy
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import mindspore as ms
import numpy as np
import onnx
import onnxruntime
from mindspore import nn

from . import CourseError
from .training import generate


@contextmanager
def working_in(folder):
    """Make folder the working directory for a while.

    ms.export refuses a path with a space or an umlaut in it, but not a plain name.
    """
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def export_mindir(generator, latent_size, path):
    """Write the generator as MindIR, for any number of noise vectors at a time."""
    noise = ms.Tensor(shape=[None, latent_size, 1, 1], dtype=ms.float32)
    with working_in(path.parent):
        ms.export(generator, noise, file_name=path.name, file_format="MINDIR")


def draw_with_mindir(path, noise):
    """Pictures [N, 3, S, S] from noise [N, latent_size, 1, 1], by the file alone."""
    network = nn.GraphCell(ms.load(str(path)))
    return network(ms.Tensor(noise)).asnumpy()


def export_onnx(generator, latent_size, path):
    """Write the generator as ONNX, for any number of noise vectors at a time."""
    noise = ms.Tensor(np.zeros((1, latent_size, 1, 1), np.float32))
    fresh = copy.deepcopy(generator)  # MindSpore writes a network as ONNX only once
    with working_in(path.parent):
        ms.onnx.export(
            fresh,
            noise,
            file_name=path.name,
            input_names=["noise"],
            output_names=["pictures"],
        )
    model = onnx.load(str(path))
    for node in model.graph.node:
        for attribute in list(node.attribute):
            if attribute.name == "output_shape":  # onnxruntime refuses it
                node.attribute.remove(attribute)
    for end in (*model.graph.input, *model.graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def draw_with_onnx(path, noise):
    """Pictures [N, 3, S, S] from noise [N, latent_size, 1, 1], without MindSpore."""
    session = onnxruntime.InferenceSession(
        str(path), providers=["CPUExecutionProvider"]
    )
    return session.run(["pictures"], {"noise": noise})[0]


def export_generator(generator, latent_size, folder, file_format):
    """Write ``folder/generator.mindir`` (or .onnx, .air); returns its path and more.

    file_format: MINDIR, ONNX or AIR. Second comes the largest difference between the
    pictures of the file, loaded back, and the generator's own (None for AIR, which
    cannot be loaded back). Raises CourseError for AIR without an Ascend, and where the
    file does not draw the same pictures; then none is left.
    """
    if file_format == "AIR" and ms.get_context("device_target") != "Ascend":
        raise CourseError(
            "AIR can be written only where there is an Ascend NPU, and MindSpore is "
            "giving it up: take MINDIR, which an Ascend reads, too, or ONNX."
        )
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, latent_size, 1, 1), np.float32)
    folder = Path(folder)
    name = f"generator.{file_format.lower()}"
    with tempfile.TemporaryDirectory(dir=folder) as making:
        part, difference = Path(making) / name, None
        if file_format == "AIR":
            with working_in(making):
                ms.export(
                    generator, ms.Tensor(noise), file_name=name, file_format="AIR"
                )
        else:
            write, draw = {
                "MINDIR": (export_mindir, draw_with_mindir),
                "ONNX": (export_onnx, draw_with_onnx),
            }[file_format]
            write(generator, latent_size, part)
            own = generate(generator, ms.Tensor(noise))
            difference = float(np.abs(draw(part, noise) - own).max())
            if not difference < 0.01:  # an NPU may convolve in half precision
                error = CourseError(
                    f"The {file_format} file draws other pictures (they differ by "
                    f"{difference:.1g}), so it was not kept."
                )
                error.while_running = True  # nothing is wrong with what was asked for
                raise error
        os.chmod(part, 0o644)
        os.replace(part, folder / name)
    return folder / name, difference
