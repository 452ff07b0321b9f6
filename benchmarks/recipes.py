"""Which recipe gives the best faces for the same time? Trained, judged, drawn, plotted.

    python benchmarks/recipes.py FOLDER [--recipes before start class] [--seeds 1 2 3]

FOLDER: pictures, or the word sample. Each training has so many --minutes of processor
time on one core, which other programs hardly disturb; as many run at once as there are
cores. 1,000 pictures are held out. After each quarter of the time 1,000 drawn pictures
are compared with them in the features of the course's encoder (lesson 06). --out keeps
a line of JSON for each, a sheet of faces, and in the end table.md, curves.png and
faces.png; what stands there already is not trained again. RECIPES names what can be
tried.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import psutil

from dcgan_utils.device import choose_device
from dcgan_utils.settings import PROFILES

OLD = {"generator_maps": 32, "discriminator_maps": 32, "average_decay": 0.995}
START = {"generator_maps": 24, "discriminator_maps": 24, "average_decay": 0.995}
RECIPES = {  # what differs from the class profile
    "before": OLD,  # in the published order
    "D first": OLD,
    "start": START,
    "class": {},
    "fresh noise for G": {},
    "batch 8": {"batch_size": 8},
    "16 maps": {"generator_maps": 16},
    "24 maps": {"discriminator_maps": 24},
    "G of 16, D of 24 maps": {"generator_maps": 16, "discriminator_maps": 24},
    "G at 2e-4": {"generator_rate": 2e-4},
    "both 6e-4": {"generator_rate": 6e-4, "discriminator_rate": 6e-4},
    "real label 1": {"real_label": 1.0},
    "decay 0.995": {"average_decay": 0.995},
    "no average": {"average_decay": 0.0},
}
MEASURES = {  # name: digits in the table
    "steps": 0,
    "kid": 2,
    "fid": 1,
    "coverage": 2,
    "accessory": 2,  # shares of faces; of real sample faces 0.5 have one
    "closed eyes": 2,  # 0.12
    "eye colours": 0,  # how many occur in 1 % of the faces or more: 8
}


def make_published_step(model):
    """In the tutorial's order: both gradients at the same weights, then the updates."""
    import mindspore as ms

    from dcgan_utils.taught.training import discriminator_loss, generator_loss

    g, d = model.generator, model.discriminator

    def generator_forward(z):
        fakes = g(z)
        return generator_loss(d(fakes)), fakes

    def discriminator_forward(real, fakes):
        return discriminator_loss(d(real), d(fakes), model.settings.real_label)

    weights_g, weights_d = model.optimizer_g.parameters, model.optimizer_d.parameters
    grad_g = ms.value_and_grad(generator_forward, None, weights_g, has_aux=True)
    grad_d = ms.value_and_grad(discriminator_forward, None, weights_d)

    @ms.jit
    def train_step(real, z):
        (loss_g, fakes), grads_g = grad_g(z)
        loss_d, grads_d = grad_d(real, fakes)
        model.optimizer_g(grads_g)
        model.optimizer_d(grads_d)
        return loss_d, loss_g

    return train_step


def make_fresh_noise_step(model):
    """D first, but G is judged on other fakes than D has just seen."""
    import mindspore as ms

    from dcgan_utils.taught.training import make_train_step

    networks = model.generator, model.discriminator
    optimizers = model.optimizer_g, model.optimizer_d
    train_step = make_train_step(*networks, *optimizers, model.settings.real_label)
    # The two functions that train_step calls one after the other.
    train_d, train_g = (cell.cell_contents for cell in train_step.__closure__)

    rng = np.random.default_rng(model.settings.seed)

    def step(real, z):
        other = ms.Tensor(rng.standard_normal(z.shape), ms.float32)
        return train_d(real, z), train_g(other)

    return step


STEPS = {"before": make_published_step, "fresh noise for G": make_fresh_noise_step}


def attributes(labels):
    """What many generators leave out, from the labels that the encoder gives faces."""
    colours = np.unique(labels["eye_colour"], return_counts=True)[1]
    return {
        "accessory": (labels["accessory"] != "none").mean(),
        "closed eyes": (labels["expression"] == "closed eyes").mean(),
        "eye colours": (100 * colours >= len(labels["eye_colour"])).sum(),
    }


def train_one(folder, recipe, seed, minutes, out):
    """Train one recipe with one seed; prints a line of JSON after each quarter."""
    choose_device("cpu")
    import mindspore as ms

    from dcgan_utils.pictures.encoder import classify, encode, load_encoder
    from dcgan_utils.pictures.folder import look_at_folder
    from dcgan_utils.show.grids import make_grid, save_picture
    from dcgan_utils.taught.evaluation import coverage, fid, kid
    from dcgan_utils.taught.results import generate
    from dcgan_utils.taught.training import make_average_step
    from dcgan_utils.training.model import build_dcgan
    from dcgan_utils.training.noise import epoch_order, step_noise
    from dcgan_utils.training.sampling import recalibrate_batch_norm

    s = replace(PROFILES["class"], seed=seed, **RECIPES[recipe])
    pictures = look_at_folder(folder, s.image_size)
    lot = np.random.default_rng(0).permutation(len(pictures))

    def in_range(pixels):
        return pixels.astype(np.float32) / 127.5 - 1

    encoder = load_encoder()
    real = encode(encoder, in_range(pictures[lot[:1000]]))
    learnt = pictures[lot[1000:]]
    model = build_dcgan(s)
    step = STEPS[recipe](model) if recipe in STEPS else model.train_step()
    average = make_average_step(model.generator, model.average, s.average_decay)
    noise = np.random.default_rng(7).standard_normal((1000, 100, 1, 1))
    noise = ms.Tensor(noise, ms.float32)

    def judge(steps, seconds):
        recalibrate_batch_norm(model.average, noise[:512])
        made = generate(model.average, noise)
        features = encode(encoder, made)
        found = {"recipe": recipe, "seed": seed, "minutes": seconds / 60}
        found |= {"steps": steps, "kid": kid(real, features)}
        found |= {"fid": fid(real, features), "coverage": coverage(real, features)}
        if (pictures.root / "labels.csv").exists():  # the encoder knows these faces
            found |= attributes(classify(encoder, made))
        sheet = out / f"{recipe} {seed} {steps}.png".replace(" ", "-")
        save_picture(make_grid(made[:48]), sheet)
        print(json.dumps(found, default=float), flush=True)

    model.generator.set_train()
    model.discriminator.set_train()
    steps, seconds, due = 0, 0.0, minutes * 15
    for epoch in range(1_000_000):
        order = epoch_order(s, len(learnt), epoch)
        for i in range(0, len(order), s.batch_size):
            began = time.process_time()
            batch = ms.Tensor(in_range(learnt[order[i : i + s.batch_size]]))
            loss = step(batch, step_noise(s, steps))[0]
            average(steps)
            loss.asnumpy()
            steps += 1
            if steps > 2:  # the first ones compile
                seconds += time.process_time() - began
            if seconds >= due:
                judge(steps, seconds)
                model.generator.set_train()
                due += minutes * 15
                if due > minutes * 60 + 1:
                    return


def start(folder, recipe, seed, minutes, out, free_cores):
    """One training as a process on a core of its own; its lines go into a file."""
    lines = out / f"{recipe} {seed}.jsonl".replace(" ", "-")
    if lines.exists():
        return
    core = free_cores.get()
    command = [sys.executable, __file__, folder, "--one", recipe, str(seed)]
    command += ["--minutes", str(minutes), "--out", str(out)]
    begun = lines.with_suffix(".part")
    try:
        with (
            open(begun, "w") as file,
            subprocess.Popen(
                command, stdout=file, env=os.environ | {"OMP_NUM_THREADS": "1"}
            ) as process,
        ):
            psutil.Process(process.pid).cpu_affinity([core])
        if process.returncode:
            raise SystemExit(f"{recipe}, seed {seed}: see above")
        begun.rename(lines)
    finally:
        free_cores.put(core)


def found_in(out, recipe):
    """What was measured of one recipe: {seed: its lines}."""
    paths = sorted(out.glob(f"{recipe} ?.jsonl".replace(" ", "-")))
    rows = [
        [json.loads(line) for line in path.read_text().splitlines() if line[0] == "{"]
        for path in paths
    ]
    return {run[0]["seed"]: run for run in rows if run}


def write_table(out, recipes):
    """table.md: the mean over the seeds and the range; curves.png: KID over time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    runs = [run for recipe in recipes for run in found_in(out, recipe).values()]
    names = [name for name in MEASURES if name in runs[0][-1]]
    lines = ["| recipe | seeds | " + " | ".join(names) + " |"]
    lines.append("| --- " * (len(names) + 2) + "|")
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for recipe in recipes:
        runs = list(found_in(out, recipe).values())
        if not runs:
            continue
        cells = []
        for name in names:
            last = [run[-1][name] for run in runs]
            digits = MEASURES[name]
            low, middle, high = min(last), np.mean(last), max(last)
            cells.append(
                f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"
            )
        lines.append(f"| {recipe} | {len(runs)} | " + " | ".join(cells) + " |")
        kids = np.array([[row["kid"] for row in run] for run in runs])
        minutes = [row["minutes"] for row in runs[0]]
        axis.plot(minutes, kids.mean(axis=0), "o-", label=recipe)
        axis.fill_between(minutes, kids.min(axis=0), kids.max(axis=0), alpha=0.25)
    axis.set(xlabel="minutes of one core", ylabel="KID (lower is better)", ylim=(0, 2))
    axis.legend()
    figure.savefig(out / "curves.png", dpi=110)
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def draw_faces(out, recipes):
    """faces.png: what eight noise vectors became at the end, a row for each recipe."""
    import matplotlib.pyplot as plt

    rows = {}
    for recipe in recipes:
        for seed, run in list(found_in(out, recipe).items())[:1]:
            sheet = f"{recipe} {seed} {run[-1]['steps']}.png".replace(" ", "-")
            rows[recipe] = plt.imread(out / sheet)[:64]
    figure, axes = plt.subplots(
        len(rows), figsize=(8.6, 1.2 * len(rows)), layout="constrained", squeeze=False
    )
    for axis, (recipe, row) in zip(axes.ravel(), rows.items()):
        axis.imshow(row, interpolation="lanczos")
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(recipe, rotation=0, ha="right", va="center", fontsize=12)
    figure.savefig(out / "faces.png", dpi=130)


def main():
    """Train what was asked for, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, metavar="RECIPE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--out", type=Path, default=Path("build/recipes"))
    parser.add_argument("--one", nargs=2, metavar=("RECIPE", "SEED"))
    given = parser.parse_args()
    folder, out = given.folder, given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if folder == "sample":
        from dcgan_utils.pictures.get import get_faces

        folder = get_faces(replace(PROFILES["class"], face_count=5096)).root
    if given.one:
        recipe, seed = given.one
        train_one(Path(folder), recipe, int(seed), given.minutes, out)
        return
    recipes = given.recipes or ["before", "start", "class"]
    free_cores = SimpleQueue()
    cores = psutil.Process().cpu_affinity()
    for core in cores:
        free_cores.put(core)
    with ThreadPoolExecutor(len(cores)) as pool:
        for seed in given.seeds:
            for recipe in recipes:
                options = str(folder), recipe, seed, given.minutes, out
                pool.submit(start, *options, free_cores)
    write_table(out, recipes)
    draw_faces(out, recipes)


if __name__ == "__main__":
    main()
