"""A training run: the same numbers again, stop and go on, nothing is lost.

What only concerns the plumbing feeds losses to a run and trains nothing.
"""

import json
import os
import shutil
import signal
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from small_runs import SMALL, TINY, feed

from dcgan_utils import CourseError
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.show.grids import read_frames
from dcgan_utils.taught.results import generate
from dcgan_utils.taught.training import train
from dcgan_utils.training import history_file
from dcgan_utils.training.checkpoint import list_checkpoints, newest_checkpoint
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.noise import epoch_order, fixed_noise, step_noise
from dcgan_utils.training.run import TrainingRun
from dcgan_utils.training.run_folder import RunFolder
from dcgan_utils.training.sampling import load_generator

# Trains SMALL in a fresh process and keeps all its numbers. It gets a Ctrl-C while the
# step of the third argument (from 0) is under way.
PROGRAM = """
import os, signal, sys
import numpy as np
from dcgan_utils.device import choose_device
choose_device("cpu")
from dcgan_utils.pictures.folder import look_at_folder
from dcgan_utils.taught.training import train
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.run import TrainingRun
from small_runs import SMALL

faces, out, interrupted = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Run(TrainingRun):
    def noise(self):
        if self.step == interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        return super().noise()

model = build_dcgan(SMALL)
history = train(model, Run(model, look_at_folder(faces, 64)))
np.savez(out, history=history, **{p.name: p.asnumpy() for p in model.parameters})
"""


def steps_saved():
    """The steps of the checkpoints of TINY's run."""
    return [int(path.stem[5:]) for path in list_checkpoints(TINY.run_dir)]


# --- the same numbers again ----------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory, run_program, faces_20):
    """Three fresh processes: an unbroken run, a stopped one, and its resumption.

    The stop is a real signal after jitted steps: MindSpore puts a handler of its own in
    the place of Python's there, which ends the process.
    """
    top = tmp_path_factory.mktemp("runs")
    printed, numbers = {}, {}
    for name, build, interrupted in (
        ("unbroken", "one", -1),
        ("stopped", "two", 3),  # the fourth of six: the first of the second epoch
        ("resumed", "two", -1),
    ):
        out = top / f"{name}.npz"
        folder = {"DCGAN_BUILD_DIR": top / build, "DCGAN_DATA_DIR": top / "data"}
        printed[name] = run_program(PROGRAM, faces_20, out, interrupted, **folder)
        with np.load(out) as stored:
            numbers[name] = dict(stored)
    return top, printed, numbers.values()


def test_a_run_says_where_it_stops_and_where_it_goes_on(runs):
    _, printed, _ = runs
    stopped = "Stopped after step 4 of 6, all saved. Run the cell again"
    going_on = "Going on from step 4 of 6. To start anew: fresh=True"
    for name, text in printed.items():
        assert (stopped in text) == (name == "stopped")
        assert (going_on in text) == (name == "resumed")


def test_a_resumed_run_ends_bit_identical_to_an_unbroken_one(runs):
    """Weights, statistics, average, both optimizers, losses: the stop left no trace."""
    top, _, (unbroken, stopped, resumed) = runs
    assert unbroken.keys() == resumed.keys()
    assert len(unbroken) == len(build_dcgan(SMALL).parameters) + 1
    saved = newest_checkpoint(top / "two" / "smoke-sample")
    assert saved["settings"] == SMALL
    saved["history"] = ms.Tensor(saved["history"])
    for name, value in unbroken.items():
        assert (value == resumed[name]).all(), name
        assert (value == saved[name].asnumpy()).all(), name
    # And there was something to lose between step 4 and 6.
    same = [n for n in unbroken if np.array_equal(unbroken[n], stopped[n])]
    assert all(n.endswith("learning_rate") for n in same), same
    for name in ("epoch-0001.png", "epoch-0002.png"):
        one, two = (top / b / "smoke-sample" / "frames" / name for b in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_started_anew_in_one_process_the_losses_are_the_same(runs, faces_20):
    """And the same as in a fresh process: nothing is left over from what ran before."""
    pictures = look_at_folder(faces_20, 64)
    model = build_dcgan(replace(SMALL, epochs=1))
    (unbroken, *_) = runs[2]
    for fresh in (False, True):
        history = train(model, TrainingRun(model, pictures, fresh=fresh))
        assert (history == unbroken["history"][:3]).all()
        np.random.seed(5)
        ms.set_seed(5)


def test_batches_come_in_the_order_of_the_epoch(tiny, pictures):
    with TrainingRun(tiny, pictures) as run:
        shown = [real.asnumpy() for real in run.batches(0)]
        assert (run.noise().asnumpy() == step_noise(TINY, 0).asnumpy()).all()
        feed(run, 4)
        assert len(list(run.batches(1))) == 2  # what is left of it
    expected = pictures[epoch_order(TINY, 20, 0)].reshape(3, 8, 3, 32, 32)
    np.testing.assert_allclose(shown, expected / 127.5 - 1, atol=1e-6)


# --- saved ---------------------------------------------------------------------------


def test_every_epoch_is_saved_and_a_run_that_is_over_does_no_more(
    tiny, pictures, capsys
):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 6)
    assert steps_saved() == [3, 6]
    assert len(read_frames(TINY.run_dir / "frames")) == 2
    for epochs in (2, 1):  # fewer than are done change nothing
        model = replace(tiny, settings=replace(TINY, epochs=epochs))
        with TrainingRun(model, pictures) as run:
            assert list(run.epochs()) == []
        assert run.history.tolist() == [[0.5, 0.5]] * 6
        printed = capsys.readouterr().out
        assert "All 6 steps are done" in printed and "Stopped" not in printed
    assert steps_saved() == [3, 6]
    model = replace(tiny, settings=replace(TINY, epochs=3))
    with TrainingRun(model, pictures) as run:
        assert next(iter(run.epochs())) == 2
        feed(run, 3)
    assert "Going on from step 6 of 9" in capsys.readouterr().out
    assert len(read_frames(TINY.run_dir / "frames")) == 3


def test_time_saves_too_and_what_is_saved_is_ready_to_draw(tiny, pictures, monkeypatch):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 1)
        assert steps_saved() == []
        monkeypatch.setattr(run, "save_seconds", -1)
        run.record(ms.Tensor(0.25), ms.Tensor(0.75))
        assert steps_saved() == [2]
        noise, saved = fixed_noise(TINY, 8), newest_checkpoint(TINY.run_dir)
        drawn = generate(load_generator(saved), noise)
        assert (drawn == generate(tiny.average, noise)).all()
    assert saved["history"].tolist() == [[0.5, 0.5], [0.25, 0.75]]


def test_an_epoch_has_its_picture_before_its_checkpoint(tiny, pictures, monkeypatch):
    """Killed between the two, the run must end the epoch again."""

    def killed(run, epoch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingRun, "save_seconds", -1)
        patch.setattr(TrainingRun, "end_epoch", killed)
        with TrainingRun(tiny, pictures) as run:
            feed(run, 3)
    assert steps_saved() == [1, 2]
    with TrainingRun(tiny, pictures) as run:
        feed(run, 1)
    assert steps_saved() == [2, 3]
    assert len(read_frames(TINY.run_dir / "frames")) == 1


@pytest.mark.parametrize("bad", [(np.nan, 0.5), (0.5, np.inf)])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good(tiny, pictures, bad):
    told = r"at step 5: .* Lower the learning rates and start anew.* kept in .*-sample"
    with pytest.raises(CourseError, match=told), TrainingRun(tiny, pictures) as run:
        feed(run, 4)
        feed(run, 1, bad)
    assert steps_saved() == [3]


def lines_of(folder):
    return [json.loads(x) for x in (folder / "history.jsonl").read_text().splitlines()]


def test_the_history_is_written_as_it_comes(tiny, pictures, monkeypatch):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 1)
        assert lines_of(TINY.run_dir) == []
        monkeypatch.setattr(history_file, "LOG_SECONDS", -1)
        feed(run, 1)
        assert [line["step"] for line in lines_of(TINY.run_dir)] == [1, 2]
        monkeypatch.setattr(history_file, "LOG_SECONDS", 60)
        feed(run, 2)
    lines = lines_of(TINY.run_dir)
    assert [line["epoch"] for line in lines] == [1, 1, 1, 2]
    assert ["warnings" in line for line in lines] == [False, False, True, False]
    assert all(line["pictures_per_second"] > 0 for line in lines)
    assert lines[3]["loss_d"] == lines[3]["loss_g"] == 0.5


@pytest.mark.parametrize("known", ["all", "more", "fewer", "half a line", "none"])
def test_the_history_goes_on_without_gap_or_twice(tiny, pictures, known):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 4)
    path = TINY.run_dir / "history.jsonl"
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    path.write_text(
        {
            "all": text,
            "more": text + lines[3].replace('"step": 4', '"step": 5'),
            "fewer": "".join(lines[:2]),
            "half a line": text[:-20],
            "none": "",
        }[known]
    )
    with TrainingRun(tiny, pictures) as run:
        feed(run, 2)
    assert [line["step"] for line in lines_of(TINY.run_dir)] == [1, 2, 3, 4, 5, 6]
    assert {line["loss_d"] for line in lines_of(TINY.run_dir)} == {0.5}
    assert (path.read_text().startswith(text)) == (known in ("all", "more"))
    with TrainingRun(tiny, pictures, fresh=True):
        assert path.read_text() == ""


def test_the_detectors_speak_once_in_a_shell(tiny, pictures, capsys):
    for warns in (False, True):
        model = replace(tiny, settings=replace(TINY, epochs=36))
        with TrainingRun(model, pictures, fresh=True, warns=warns) as run:
            feed(run, 108, (0.001, 8.0))
        told = "WARNING after epoch 34: D has won: D's loss"
        printed = capsys.readouterr().out
        assert printed.count("D has won") == printed.count(told) == warns
    noted = lines_of(TINY.run_dir)[-1]["warnings"]
    assert any(warning.startswith("D has won: ") for warning in noted)


# --- stopped -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (0, "nothing to save. Run the cell again (in a shell: the same command"),
        (2, "Stopped after step 2 of 6, all saved. Run the cell again"),
        (3, "Stopped after step 3 of 6, all saved. Run the cell again"),
    ],
)
def test_an_interrupt_stops_after_the_step(tiny, pictures, capsys, steps, sentence):
    with TrainingRun(tiny, pictures) as run:
        feed(run, steps)
        os.kill(os.getpid(), signal.SIGINT)
        assert list(run.epochs()) == list(run.batches(0)) == []
    assert run.step == steps
    printed = capsys.readouterr().out
    assert sentence in printed and printed.count("Stopped") == 1
    assert steps_saved() == [steps][: bool(steps)]


def test_a_run_that_was_stopped_can_be_entered_again(tiny, pictures):
    run = TrainingRun(tiny, pictures)
    with run:
        os.kill(os.getpid(), signal.SIGINT)
        run.record(ms.Tensor(0.5), ms.Tensor(0.5))  # the step that was under way
    with run:
        feed(run, 5)
    assert steps_saved() == [3, 6]


def test_a_stop_is_saved_before_anything_is_printed(tiny, pictures, monkeypatch):
    """Where the terminal was closed, to print is an error."""

    def closed():
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError), TrainingRun(tiny, pictures) as run:
        feed(run, 1)
        os.kill(os.getpid(), signal.SIGHUP)
        monkeypatch.setattr(run.bar, "close", closed)
    assert steps_saved() == [1]


def test_a_view_is_shown_when_it_is_due_and_at_the_end(tiny, pictures):
    class View:
        shown, due = [], iter([False, True, False, False, False, False])

        def start(self):
            self.shown.append("a place above the bar")

        def is_due(self):
            return next(self.due)

        def update(self, history, steps_per_epoch, pictures):
            self.shown.append((len(history), steps_per_epoch, pictures.shape))

    with TrainingRun(tiny, pictures, view=View()) as run:
        feed(run, 6)
    faces = (24, 3, 32, 32)
    assert View.shown == ["a place above the bar", (2, 3, faces), (6, 3, faces)]


# --- started -------------------------------------------------------------------------


def test_other_settings_are_refused_and_a_new_start_is_possible(tiny, pictures):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 3)
    changed = build_dcgan(replace(TINY, seed=3))
    start = changed.generator.trainable_params()[0].asnumpy().copy()
    refused = pytest.raises(CourseError, match=r"seed was 1 and is 3.*fresh=True")
    with refused, TrainingRun(changed, pictures):
        pass
    assert steps_saved() == [3]
    run = TrainingRun(changed, pictures, fresh=True)
    assert steps_saved() == [3]  # what is not entered deletes nothing
    with run:
        assert run.step == 0 and steps_saved() == []
        assert (changed.generator.trainable_params()[0].asnumpy() == start).all()
        feed(run, 1)
    with run:  # entered again, it goes on
        assert run.step == 1


def test_other_pictures_are_refused_though_they_are_as_many(tiny, faces_20, tmp_path):
    copy = shutil.copytree(faces_20, tmp_path / "copy")
    for root in (faces_20, copy):
        with TrainingRun(tiny, look_at_folder(root, 32)) as run:
            feed(run, 1)
    shutil.copy(copy / "faces" / "008.png", copy / "faces" / "007.png")
    refused = pytest.raises(CourseError, match="the pictures are not the same ones")
    with refused, TrainingRun(tiny, look_at_folder(copy, 32)):
        pass


def test_a_model_whose_checkpoints_are_gone_starts_anew(tiny, pictures):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 3)
    shutil.rmtree(TINY.run_dir)
    for p in tiny.optimizer_d.get_parameters():  # feed trains nothing
        p.set_data(p + 1)
    with TrainingRun(tiny, pictures) as run:
        assert run.step == 0
    start = build_dcgan(TINY).parameters
    assert all((p == q).asnumpy().all() for p, q in zip(tiny.parameters, start))


@pytest.mark.parametrize("fresh", [False, True])
def test_where_another_process_trains_nothing_is_changed(tiny, pictures, fresh):
    with TrainingRun(tiny, pictures) as run:
        feed(run, 3)
    ready = TrainingRun(tiny, pictures, fresh=fresh)
    before = {p.name: p.stat().st_mtime_ns for p in TINY.run_dir.rglob("*-*")}
    weights = [p.asnumpy().copy() for p in tiny.parameters]
    with (
        RunFolder(TINY.run_dir).locked(),
        pytest.raises(CourseError, match=f"Process {os.getpid()} is training"),
        ready,
    ):
        pass
    assert steps_saved() == [3]
    assert before == {p.name: p.stat().st_mtime_ns for p in TINY.run_dir.rglob("*-*")}
    assert all((p.asnumpy() == w).all() for p, w in zip(tiny.parameters, weights))
    with ready:
        assert ready.step == (0 if fresh else 3)


def test_the_folder_is_held_from_the_first_look_to_the_last_save(
    tiny, pictures, monkeypatch
):
    """And no longer: not by one who was not let in, nor by one who was interrupted."""
    other = TrainingRun(tiny, pictures, fresh=True)
    delete, refused = other.folder.delete_training, []

    def try_to_enter():
        with pytest.raises(CourseError, match="is training into") as error:
            TrainingRun(tiny, pictures).__enter__()
        refused.append(error)

    def interrupted():
        try_to_enter()
        delete()
        raise KeyboardInterrupt

    monkeypatch.setattr(other.folder, "delete_training", interrupted)
    with pytest.raises(KeyboardInterrupt):
        other.__enter__()
    with TrainingRun(tiny, pictures) as run:
        feed(run, 1)
        save = run.save
        monkeypatch.setattr(run, "save", lambda: (try_to_enter(), save()))
    assert len(refused) == 2
    with TrainingRun(tiny, pictures) as run:
        assert run.step == 1
