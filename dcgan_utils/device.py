"""Choose the device, Ascend or CPU, and set the CPU runtime up."""

import os

from . import CourseError

_chosen: list[str] = []  # the device of this process, once it has one


def prepare_runtime() -> None:
    """Set what MindSpore reads when it is imported; choose_device does it, too."""
    # On processors with AVX-512, oneDNN hands most of MindSpore's convolutions to its
    # slow reference code: a step with 32 feature maps and a batch of 32 took 12 s, and
    # takes 0.24 s held to AVX2, where all of them run as fast matrix products.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    # Without it the Python thread spins in an empty loop while the kernels work and
    # takes a whole core from them. MindSpore reads it once, at its first operation.
    # The results are the same to the last digit (tests/test_device.py).
    os.environ.setdefault("MS_DEV_HOST_BLOCKING_RUN", "1")
    # This quiets MindSpore's log, not its exceptions: in a notebook ms.jit looks for
    # each cell's source file, finds none, and logs a hundred ERRORs about nothing.
    os.environ.setdefault("GLOG_v", "4")


def find_device(name: str | None = None) -> str:
    """The device that choose_device would select; nothing is selected yet."""
    wanted = (name or os.environ.get("DCGAN_DEVICE") or "auto").lower()
    if wanted not in ("auto", "cpu", "ascend"):
        raise CourseError(f"DCGAN_DEVICE={wanted} is no device: use cpu or ascend.")

    prepare_runtime()
    import mindspore as ms

    has_ascend = wanted != "cpu" and ms.device_context.ascend.is_available()
    if wanted == "ascend" and not has_ascend:
        raise CourseError(
            "DCGAN_DEVICE=ascend, but MindSpore sees no Ascend NPU here: check "
            "`npu-smi info` and the CANN installation, or set DCGAN_DEVICE=cpu."
        )
    return "Ascend" if has_ascend else "CPU"


def choose_device(name: str | None = None) -> str:
    """Select the device for this process and return ``"Ascend"`` or ``"CPU"``.

    ``name`` is ``"ascend"``, ``"cpu"`` or ``"auto"`` (Ascend if there is one); without
    it ``DCGAN_DEVICE`` decides, else ``auto``. Of several NPUs it takes the one whose
    number is in ``DEVICE_ID``, else the first. Call it before the first operation:
    MindSpore cannot change the device afterwards. Raises CourseError for another name
    and where Ascend is asked for but not there.
    """
    device = find_device(name)
    if device not in _chosen:  # MindSpore takes these settings once
        import mindspore as ms

        ms.set_device(device, *_device_id(device))
        if device == "Ascend":
            ms.set_deterministic(True)
        _chosen.append(device)
    return device


def _device_id(device):
    in_job = os.environ.get("MS_ROLE")  # there MindSpore gives each worker its own
    if device != "Ascend" or in_job or not os.environ.get("DEVICE_ID"):
        return ()
    return (int(os.environ["DEVICE_ID"]),)
