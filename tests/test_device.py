"""device.py: the choice of a device, and that the runtime's two remedies are honest.

MindSpore reads its variables once in a process, so each way has a process of its own.
"""

import json
import os

import numpy as np
import pytest

from dcgan_utils import CourseError, device
from dcgan_utils.device import choose_device

# Three steps of the smoke profile's networks on four pictures.
STEPS = """
import json, os
from dataclasses import replace
import numpy as np
from dcgan_utils.taught import training as taught_training
from dcgan_utils.training import model as model_module
from dcgan_utils.training import noise
from dcgan_utils.settings import PROFILES
from dcgan_utils.device import choose_device

device = choose_device()
import mindspore as ms

settings = replace(PROFILES["smoke"], batch_size=4)
model = model_module.build_dcgan(settings)
model.generator.set_train()
model.discriminator.set_train()
train_step = taught_training.make_train_step(
    model.generator, model.discriminator, model.optimizer_g, model.optimizer_d, 0.9
)
rng = np.random.default_rng(0)
losses = []
for step in range(3):
    real = ms.Tensor(rng.uniform(-1, 1, (4, 3, 64, 64)).astype(np.float32))
    pair = train_step(real, noise.step_noise(settings, step))
    losses.append([loss.asnumpy().item().hex() for loss in pair])
names = ("ONEDNN_MAX_CPU_ISA", "MS_DEV_HOST_BLOCKING_RUN")
variables = {name: os.environ.get(name) for name in names}
print(json.dumps({"device": device, "losses": losses, "variables": variables}))
"""


@pytest.fixture(scope="module")
def three_steps(run_program):
    """The report of STEPS in a fresh process under these variables."""

    def run(**variables):
        unset = {"ONEDNN_MAX_CPU_ISA": None, "MS_DEV_HOST_BLOCKING_RUN": None}
        variables = {**unset, "DCGAN_DEVICE": "cpu", **variables}
        return json.loads(run_program(STEPS, **variables).splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def usual(three_steps):
    return three_steps()


def numbers(report):
    return np.array([[float.fromhex(x) for x in pair] for pair in report["losses"]])


def test_both_remedies_are_in_force(usual):
    assert usual["device"] == "CPU"
    assert usual["variables"] == {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MS_DEV_HOST_BLOCKING_RUN": "1",
    }
    assert np.isfinite(numbers(usual)).all()
    assert len(set(numbers(usual).ravel())) == 6


def test_blocking_changes_no_digit(usual, three_steps):
    """The caller's own value wins: "0" is MindSpore as it comes."""
    other = three_steps(MS_DEV_HOST_BLOCKING_RUN="0")
    assert other["variables"]["MS_DEV_HOST_BLOCKING_RUN"] == "0"
    assert other["losses"] == usual["losses"]


def test_avx2_changes_rounding_only(usual, three_steps):
    """oneDNN may use all that the processor has; other kernels sum in other orders.

    On a processor without AVX-512 both are the same kernels.
    """
    other = three_steps(ONEDNN_MAX_CPU_ISA="DEFAULT")
    assert other["variables"]["ONEDNN_MAX_CPU_ISA"] == "DEFAULT"
    np.testing.assert_allclose(numbers(other), numbers(usual), rtol=1e-4)


def test_ascend_without_an_npu_gives_a_sentence(monkeypatch):
    ms = pytest.importorskip("mindspore")
    if ms.device_context.ascend.is_available():
        pytest.skip("there is an NPU here")
    monkeypatch.setenv("DCGAN_DEVICE", "ascend")
    with pytest.raises(CourseError) as error:
        choose_device()
    for words in ("no Ascend NPU", "npu-smi info", "DCGAN_DEVICE=cpu"):
        assert words in str(error.value)


def test_another_name_gives_a_sentence(monkeypatch):
    monkeypatch.setenv("DCGAN_DEVICE", "gpu")
    with pytest.raises(CourseError, match=r"DCGAN_DEVICE=gpu.*use cpu or ascend"):
        choose_device()
    with pytest.raises(CourseError, match="tpu"):
        choose_device("tpu")


def test_the_name_wins_over_the_variable_and_case_is_free(monkeypatch):
    monkeypatch.setenv("DCGAN_DEVICE", "ascend")
    assert choose_device("CPU") == "CPU"
    monkeypatch.setenv("DCGAN_DEVICE", "Cpu")
    assert choose_device() == "CPU"


def test_own_values_of_the_variables_are_left_alone(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    monkeypatch.delenv("MS_DEV_HOST_BLOCKING_RUN")
    choose_device("cpu")
    assert os.environ["ONEDNN_MAX_CPU_ISA"] == "SSE41"
    assert os.environ["MS_DEV_HOST_BLOCKING_RUN"] == "1"


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, ("Ascend",)),
        ({"DEVICE_ID": "3"}, ("Ascend", 3)),
        ({"DEVICE_ID": "3", "MS_ROLE": "MS_WORKER"}, ("Ascend",)),  # msrun's own
    ],
)
def test_one_of_several_npus_is_chosen(variables, chosen, monkeypatch):
    asked = []
    monkeypatch.delenv("DEVICE_ID", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(device, "_chosen", [])
    monkeypatch.setattr(device, "find_device", lambda name: "Ascend")
    monkeypatch.setattr("mindspore.set_deterministic", lambda on: None)
    monkeypatch.setattr("mindspore.set_device", lambda *words: asked.append(words))
    assert choose_device() == "Ascend" and asked == [chosen]


def test_choosing_again_leaves_the_device_alone(monkeypatch):
    def refuse(device):
        raise RuntimeError("the device cannot change after an operation")

    monkeypatch.setattr("mindspore.set_device", refuse)
    assert choose_device("cpu") == "CPU"  # conftest has chosen it before
