"""Train the encoder of lesson 06 and write ``weights/encoder`` with its card."""

import sys
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn, ops
from scipy.ndimage import gaussian_filter

from dcgan_utils import CourseError
from dcgan_utils.pictures.encoder import SIZE, STORED, Encoder, accuracies
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.pictures.labels import ATTRIBUTES, labelled_faces
from dcgan_utils.pictures.sample import draw_sample_faces
from dcgan_utils.settings import course_root


def augment(pictures, rng):
    """Pictures [N, 3, S, S] shifted, blurred, in other light, with noise; how much.

    The second value, [N, 2] in [0, 1], says how blurred and how noisy each one is. A
    generator's pictures are never as clean as drawings: an encoder that has seen only
    clean ones would be sure of nonsense.
    """

    def chance(low, high):  # one number a picture
        return rng.uniform(low, high, (len(pictures), 1, 1, 1)).astype(np.float32)

    side = pictures.shape[-1]
    wide = np.pad(pictures, ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    corners = rng.integers(0, 9, (len(pictures), 2))
    moved = np.stack(
        [p[:, y : y + side, x : x + side] for p, (y, x) in zip(wide, corners)]
    )
    blurred = gaussian_filter(moved, (0, 0, 1.5, 1.5))
    blur, noise = (np.maximum(chance(-1, 1), 0) for _ in range(2))  # half of them: 0
    moved = moved + blur * (blurred - moved)
    moved = chance(0.85, 1.15) * moved + chance(-0.12, 0.12)
    moved += 0.2 * noise * rng.standard_normal(moved.shape, np.float32)
    amounts = np.concatenate([blur, noise], axis=1).reshape(-1, 2)
    return np.clip(moved, -1, 1), amounts


def _answers(labels) -> list[np.ndarray]:
    """For each attribute an array [N, values]: 1 at the label, else 0.

    All 0 for the eye colour of closed eyes, which nobody can see.
    """
    answers = [
        (labels[a][:, None] == np.array(values)).astype(np.float32)
        for a, values in ATTRIBUTES.items()
    ]
    closed = labels["expression"] == "closed eyes"
    answers[list(ATTRIBUTES).index("eye_colour")][closed] = 0
    return answers


def train_encoder(faces, epochs=20, batch_size=64, rate=2e-3, held_out=512, seed=1):
    """Train on labelled Pictures; returns the encoder and its accuracies.

    The last held_out faces are kept back for the accuracies, a dict from attribute to
    share. A step of 64 faces takes about 0.1 s on one core. Raises CourseError where
    they have no labels or are too few.
    """
    pictures, labels = labelled_faces(faces)
    count = len(pictures) - held_out
    if not labels or count < batch_size:
        raise CourseError(
            f"{faces.root} has no labels.csv or fewer than {held_out + batch_size} "
            "faces: draw more sample faces to train an encoder."
        )
    ms.set_seed(seed)
    rng = np.random.default_rng([seed, 6])
    answers = _answers(labels)
    encoder = Encoder()
    steps = count // batch_size * epochs
    rates = nn.cosine_decay_lr(rate / 100, rate, steps, 1, steps)
    optimizer = nn.Adam(encoder.trainable_params(), rates)

    def loss(x, amounts, *targets):
        features = encoder(x)
        total = 5 * ((encoder.damage(features) - amounts) ** 2).sum()
        for logits, target in zip(encoder.logits(features), targets):
            total -= (target * ops.log_softmax(logits)).sum()
        return total / x.shape[0]

    gradient = ms.value_and_grad(loss, None, optimizer.parameters)

    @ms.jit
    def step(*batch):
        value, gradients = gradient(*batch)
        optimizer(gradients)
        return value

    encoder.set_train(True)
    for _ in range(epochs):
        order = rng.permutation(count)
        for i in range(0, count - batch_size + 1, batch_size):
            chosen = order[i : i + batch_size]
            batch = [*augment(pictures[chosen], rng), *(a[chosen] for a in answers)]
            step(*map(ms.Tensor, batch))
    encoder.set_train(False)
    test = {name: values[count:] for name, values in labels.items()}
    return encoder, accuracies(encoder, pictures[count:], test)


CARD = """# The encoder of lesson 06

64 features of a face of 64×64 pixels, and a linear head for each label. Made by
`python tools/make_encoder.py`, which draws {count:,} sample faces of its own (none of
those that generators are trained on), trains on all but the last {held_out} in
{epochs} epochs, and tests on these:

| attribute | values | right | always the most frequent |
| --- | --- | --- | --- |
{rows}

The eye colour is judged where the eyes are open. Nothing else went into the weights.
Numbers measured in these features cannot be compared with those of another encoder.
"""


def save_encoder(encoder, card, folder) -> Path:
    """Write the weights and, beside them, the card, a text that says what they are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "writing.ckpt"
    ms.save_checkpoint(encoder, str(part), crc_check=True)
    part.chmod(0o644)
    part.replace(folder / STORED)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder / STORED


def main() -> int:
    """Draw faces, train the encoder on them, and store it with its card."""
    from dcgan_utils.device import choose_device
    from dcgan_utils.settings import load_settings

    choose_device()
    count, held_out, epochs = 8192, 512, 20
    try:
        # Other faces than a generator's: an encoder is surer of pictures that it was
        # trained on, and the memorisation test would see that.
        root = load_settings().data_dir.parent / f"encoder-{count}"
        faces = look_at_folder(draw_sample_faces(root, count, seed=3), SIZE)
        encoder, right = train_encoder(faces, epochs, held_out=held_out)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    labels = labelled_faces(faces)[1]
    rows = []
    for name, values in ATTRIBUTES.items():
        top = max((labels[name] == value).mean() for value in values)
        rows.append(f"| {name} | {len(values)} | {right[name]:.0%} | {top:.0%} |")
    print("\n".join(rows))
    card = CARD.format(
        count=count, held_out=held_out, epochs=epochs, rows="\n".join(rows)
    )
    print(save_encoder(encoder, card, course_root() / "weights" / "encoder"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
