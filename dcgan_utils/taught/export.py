"""Lesson 10: the generator as MindIR and as ONNX, and drawing with either file."""

import copy
import os
from contextlib import contextmanager

import mindspore as ms
import numpy as np
import onnx
import onnxruntime
from mindspore import nn


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
