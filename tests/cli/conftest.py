"""Pictures laid out as ImageNet comes, and a small training on them."""

import pytest
from sample_files import picture
from shell import SMALL, dcgan


@pytest.fixture(autouse=True)
def own_variables(monkeypatch):
    """What a command puts into the environment is gone after the test."""
    for name in ("DCGAN_DEVICE", "DCGAN_PICTURES", "DEVICE_ID"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """20 pictures of several modes and shapes in train/n00 and n01, 5 flat in val."""
    root = tmp_path_factory.mktemp("photos")
    for i in range(25):
        path = root / (f"train/n0{i % 2}" if i < 20 else "val") / f"{i}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = ((40 + 7 * i, 60), (50, 40 + 9 * i))[i % 2]
        path.write_bytes(picture(("RGB", "L", "CMYK")[i % 3], size))
    return root


@pytest.fixture(scope="session")
def trained(photos, tmp_path_factory):
    """The folder of one epoch, 3 steps, of a small network."""
    out = tmp_path_factory.mktemp("trained") / "run"
    words = f"train --preset imagenet32 --data {photos} --out {out} {SMALL} --epochs 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DCGAN_DATA_DIR", str(out.parent / "data"))
        assert dcgan(words).code == 0
    return out
