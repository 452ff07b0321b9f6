"""parallel.py and launcher.py: what several workers share, and what ends with them.

Jobs of two workers are dear, so there are few. Each writes down all that happened in
it, and many tests read that. The networks are tiny: 32 × 32 pixels, 3 steps an epoch.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import mindspore as ms
import numpy as np
import psutil
import pytest

from dcgan_utils import CourseError
from dcgan_utils.settings import PROFILES
from dcgan_utils.show.grids import read_frames
from dcgan_utils.taught.data import create_dataset
from dcgan_utils.taught.distributed import Place, share
from dcgan_utils.taught.training import (
    discriminator_loss,
    generator_loss,
    make_average_step,
)
from dcgan_utils.training import job
from dcgan_utils.training.checkpoint import newest_checkpoint
from dcgan_utils.training.job import launch, read_rank_table
from dcgan_utils.training.model import build_dcgan
from dcgan_utils.training.randomness import epoch_order, step_noise
from dcgan_utils.training.workers import ALONE, _tell_of_death, mean_over_workers

TOP = Path(__file__).parents[2]
TINY = replace(
    PROFILES["smoke"],
    face_count=20,
    batch_size=8,
    image_size=32,
    generator_maps=4,
    discriminator_maps=4,
)
STEPS = 6  # two epochs of 20 pictures, filled up to 24

# What every worker runs. It trains TINY and writes down what happens at each step. At
# a given step a given rank does something to itself: "kill" it, or "wait" for a signal.
WORKER = """
import itertools, os, signal, sys, time
from pathlib import Path
import numpy as np
from dcgan_utils.taught import training as taught_training
from dcgan_utils.training import job
from dcgan_utils.training import model as model_module
from dcgan_utils.training import randomness
from dcgan_utils.training import run as run_module
from dcgan_utils.device import choose_device
from dcgan_utils.training.workers import join_job, leave_job
from tests.training.test_job import TINY, gradients_of

faces, out, event, rank, step = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
choose_device("cpu")
place = join_job()
# A folder for each: so that it shows who writes, and that nobody needs another's disk.
os.environ["DCGAN_BUILD_DIR"] = f"{out}/rank-{place.rank}"
at = [0]
draw, make = randomness.step_noise, taught_training.make_train_step

def step_noise(settings, number):
    at[0] = number
    return draw(settings, number)

def make_train_step(generator, discriminator, optimizer_g, optimizer_d, real_label):
    train = make(generator, discriminator, optimizer_g, optimizer_d, real_label)

    def train_step(real, z):
        if (place.rank, at[0]) == (rank, step):
            if event == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            Path(out, "ready").touch()
            time.sleep(3)
        local = gradients_of(model, real, z)
        mean = [optimizer_g.reduce(local[0]), optimizer_d.reduce(local[1])]
        losses = train(real, z)
        kept = {"real": real, "z": z, "losses": np.stack([x.asnumpy() for x in losses])}
        for name, parts in (("local", local), ("mean", mean)):
            for n, gradient in enumerate(itertools.chain(*parts)):
                kept[f"{name}-{n:02d}"] = gradient
        for p in model.parameters:
            kept[p.name] = p
        for name, value in kept.items():
            kept[name] = value.asnumpy() if name != "losses" else value
        np.savez(f"{out}/step-{at[0]}-rank-{place.rank}.npz", **kept)
        return losses

    return train_step

run_module.step_noise, taught_training.make_train_step = step_noise, make_train_step
model = model_module.build_dcgan(TINY, place)
history = taught_training.train(model, run_module.TrainingRun(model, faces))
kept = {p.name: p.asnumpy() for p in model.parameters}
np.savez(f"{out}/end-rank-{place.rank}.npz", history=history, **kept)
print("end of worker", place.rank)
leave_job()
"""
LAUNCH = """
import sys
from dcgan_utils.training.job import launch
log_dir, *command = sys.argv[1:]
sys.exit(launch(command, workers=2, log_dir=log_dir))
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="msrun runs on Linux only")


def gradients_of(model, real, z):
    """The gradients of both networks for one batch, without an update."""

    def loss_of_g(z):
        return generator_loss(model.discriminator(model.generator(z)))

    def loss_of_d(real, fakes):
        answers = model.discriminator(real), model.discriminator(fakes)
        return discriminator_loss(*answers, model.settings.real_label)

    fakes = model.generator(z)
    of_g = ms.value_and_grad(loss_of_g, None, model.optimizer_g.parameters)(z)[1]
    of_d = ms.value_and_grad(loss_of_d, None, model.optimizer_d.parameters)
    return of_g, of_d(real, fakes)[1]


def mean_of(parts):
    """The means of lists of tensors, as a list of tensors."""
    arrays = [[tensor.asnumpy() for tensor in part] for part in parts]
    return [ms.Tensor(sum(each) / len(each)) for each in zip(*arrays)]


def global_batches(faces, epoch):
    """The batches [8, 3, 32, 32] of one process that trains TINY alone."""
    whole = create_dataset(faces, TINY.image_size, 1)
    pictures = [p.asnumpy()[0] for (p,) in whole.create_tuple_iterator(num_epochs=1)]
    order = np.reshape(epoch_order(TINY, 20, epoch), (-1, TINY.batch_size))
    return [np.stack([pictures[i] for i in batch]) for batch in order]


# --- shares and gradients ------------------------------------------------------------


def test_shares_are_disjoint_and_complete():
    batch = np.arange(12)
    for size in (1, 2, 3, 6):
        parts = [share(batch, Place(rank, size)) for rank in range(size)]
        assert [len(part) for part in parts] == [12 // size] * size
        assert np.concatenate(parts).tolist() == batch.tolist()


def test_alone_everything_is_as_without_workers():
    assert (ALONE.rank, ALONE.size) == (0, 1)
    assert mean_over_workers([ms.Tensor(0.25).asnumpy(), True], ALONE) == [0.25, 1.0]
    model = build_dcgan(TINY)
    assert model.place == ALONE
    assert type(model.optimizer_g).__name__ == "Adam"


@pytest.mark.parametrize(("batch", "workers"), [(8, 3), (8, 8), (2, 2)])
def test_a_batch_that_cannot_be_shared_is_refused(batch, workers):
    """A share of one picture neither: BCELoss of a single number is wrong on a CPU."""
    settings = replace(TINY, batch_size=batch)
    with pytest.raises(CourseError, match=f"batch of {batch}.* by {workers} workers"):
        build_dcgan(settings, Place(0, workers))


def test_two_halves_have_the_gradient_of_the_whole_batch_but_for_batch_norm():
    """The statement of lesson 09: what is equal to the doubled batch, and what not."""
    model = build_dcgan(TINY)
    rng = np.random.default_rng(0)
    real = ms.Tensor(rng.uniform(-1, 1, (8, 3, 32, 32)), ms.float32)
    z = step_noise(TINY, 0)
    places = Place(0, 2), Place(1, 2)

    def difference():
        halves = [gradients_of(model, share(real, p), share(z, p)) for p in places]
        worst = 0
        for whole, *parts in zip(gradients_of(model, real, z), *halves):
            for one, mean in zip(whole, mean_of(parts)):
                one, mean = one.asnumpy(), mean.asnumpy()
                worst = max(worst, np.abs(one - mean).max() / np.abs(one).max())
        return worst

    for network in (model.generator, model.discriminator):
        network.set_train(False)  # batch norm with given statistics: nothing is local
    assert difference() < 1e-5
    for network in (model.generator, model.discriminator):
        network.set_train(True)
    assert difference() > 1e-2


# --- jobs ----------------------------------------------------------------------------


class Job:
    """One call of the launcher in a process of its own, and what is left of it."""

    def __init__(self, out, faces, event="none", rank=-1, step=-1):
        self.out, self.logs = out, out / "logs"
        (out / "worker.py").write_text(WORKER)
        command = [self.logs, out / "worker.py", faces, out, event, rank, step]
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, command)],
            env={**os.environ, "PYTHONPATH": str(TOP)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.left = []

    def wait_for(self, path):
        """Wait until a worker makes a file; returns all processes of the job."""
        while not path.exists():
            assert self.process.poll() is None, self.finish().errors
            time.sleep(0.1)
        return psutil.Process(self.process.pid).children(recursive=True)

    def finish(self):
        self.printed, self.errors = self.process.communicate()
        self.code = self.process.returncode
        return self

    def records(self, step):
        """What rank 0 and rank 1 wrote down at a step."""
        files = [self.out / f"step-{step}-rank-{rank}.npz" for rank in (0, 1)]
        return [dict(np.load(file)) for file in files]

    def ends(self):
        """What rank 0 and rank 1 had at the end."""
        return [dict(np.load(self.out / f"end-rank-{rank}.npz")) for rank in (0, 1)]

    def saved(self):
        return newest_checkpoint(self.out / "rank-0" / "smoke-sample")


def names_of(kind, numbers):
    return [name for name in numbers if name.startswith(kind)]


def gone(processes, seconds):
    """Whether these processes are no more, or end by themselves in so many seconds."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


@pytest.fixture(scope="module")
def killed(tmp_path_factory, faces_20):
    """Rank 1 is killed in the second epoch, at the fifth of six steps."""
    job = Job(tmp_path_factory.mktemp("job"), faces_20, "kill", 1, 4)
    job.all = job.wait_for(job.out / "step-3-rank-0.npz")
    job.finish()
    died = (job.out / "step-3-rank-1.npz").stat().st_mtime
    job.lasted, job.gone = time.time() - died, gone(job.all, 1)
    job.fourth = job.records(3)  # the step after the checkpoint
    return job


@pytest.fixture(scope="module")
def resumed(killed, faces_20):
    """The same job again, to the end: from the checkpoint after the third step."""
    return Job(killed.out, faces_20).finish()


@pytest.fixture(scope="module")
def simulated(faces_20):
    """The same training in one process: two halves, the mean of their gradients.

    Two models, since each has its own moving statistics of batch norm.
    """
    models = [build_dcgan(TINY), build_dcgan(TINY)]
    for model in models:
        model.generator.set_train()
        model.discriminator.set_train()
    decay = TINY.average_decay
    steps = [make_average_step(m.generator, m.average, decay) for m in models]
    states = []
    reals = [real for epoch in (0, 1) for real in global_batches(faces_20, epoch)]
    for number, real in enumerate(reals):
        z, parts = step_noise(TINY, number), []
        for rank, model in enumerate(models):
            place = Place(rank, 2)
            parts.append(
                gradients_of(model, ms.Tensor(share(real, place)), share(z, place))
            )
        of_g, of_d = (mean_of(both) for both in zip(*parts))
        for model, average_step in zip(models, steps):
            model.optimizer_g(tuple(of_g))
            model.optimizer_d(tuple(of_d))
            average_step()
        states.append({p.name: p.asnumpy().copy() for p in models[0].parameters})
    return states


@linux
def test_each_step_takes_the_whole_batch_once(resumed, faces_20):
    """Pictures and noise: the shares are disjoint and complete, in every epoch."""
    for epoch in (0, 1):
        for number, whole in enumerate(global_batches(faces_20, epoch), 3 * epoch):
            first, second = resumed.records(number)
            shown = np.concatenate([first["real"], second["real"]])
            np.testing.assert_array_equal(shown, whole)
            noise = np.concatenate([first["z"], second["z"]])
            np.testing.assert_array_equal(noise, step_noise(TINY, number).asnumpy())


@linux
def test_the_gradients_are_the_mean_of_the_local_ones(resumed):
    for step in range(STEPS):
        first, second = resumed.records(step)
        names = names_of("local", first)
        assert len(names) == len(names_of("mean", first)) > 10
        for name in names:
            mean = (first[name] + second[name]) / 2
            assert not (first[name] == second[name]).all(), name
            for record in (first, second):
                reduced = record[name.replace("local", "mean")]
                np.testing.assert_array_equal(reduced, mean, err_msg=name)


@linux
def test_weights_are_the_same_on_both_ranks_after_every_step(resumed):
    local = ("moving_mean", "moving_variance")
    for step in range(STEPS):
        first, second = resumed.records(step)
        for name in names_of(("generator", "discriminator", "average", "optim"), first):
            same = np.array_equal(first[name], second[name])
            # Batch norm's statistics are each worker's own, and only those.
            own = name.endswith(local) and not name.startswith("average")
            assert same != own, f"{name} at step {step}"


@linux
def test_it_trains_what_one_process_would_with_the_mean_of_two_halves(
    resumed, simulated
):
    for step, expected in enumerate(simulated):
        record = resumed.records(step)[0]
        for name, value in expected.items():
            if "moving" in name or "average" in name:
                continue  # moved by the record's own gradients; not yet taken
            message = f"{name}, step {step}"
            np.testing.assert_allclose(record[name], value, 1e-4, 1e-6, err_msg=message)


@linux
def test_the_losses_kept_are_the_means(resumed):
    kept = [end["history"] for end in resumed.ends()]
    assert kept[0].shape == (STEPS, 2)
    np.testing.assert_array_equal(*kept)
    for step in range(STEPS):
        losses = [record["losses"] for record in resumed.records(step)]
        assert not (losses[0] == losses[1]).any()
        np.testing.assert_allclose(kept[0][step], np.mean(losses, 0), rtol=1e-6)


@linux
def test_only_worker_0_writes(resumed):
    assert not (resumed.out / "rank-1").exists()
    saved = resumed.saved()
    assert saved["settings"] == TINY
    first = resumed.ends()[0]
    assert set(first) <= set(saved)
    for name in first:
        value = saved[name] if name == "history" else saved[name].asnumpy()
        np.testing.assert_array_equal(first[name], value)
    assert len(read_frames(resumed.out / "rank-0" / "smoke-sample" / "frames")) == 2


@linux
def test_a_killed_worker_ends_the_job_with_its_name(killed):
    assert killed.code == 1
    assert "Worker 1 was killed by signal 9 (SIGKILL)" in killed.errors
    assert killed.errors.count("\n") == 1
    assert str(killed.logs / "worker_1.log") in killed.errors
    assert len(killed.all) >= 4  # msrun, scheduler, two workers
    assert killed.gone
    assert killed.lasted < 60  # seconds: MindSpore alone takes about that long


@linux
def test_a_resumed_job_ends_as_an_unbroken_one(resumed, simulated):
    assert resumed.code == 0, resumed.errors
    assert resumed.errors == ""
    for end in resumed.ends():
        for name, value in simulated[-1].items():
            if "moving" not in name:
                np.testing.assert_allclose(end[name], value, 1e-4, 1e-6, err_msg=name)
    assert "Going on from step 3 of 6" in resumed.printed
    assert "end of worker 0" in resumed.printed
    log = (resumed.logs / "worker_1.log").read_text()
    assert "worker 1 of 2" in log
    assert "end of worker 1" in log


@linux
def test_a_resumed_job_repeats_to_the_bit_what_the_killed_one_did(killed, resumed):
    """The fourth step was trained twice: before the kill, and after the resume."""
    for rank, (before, after) in enumerate(zip(killed.fourth, resumed.records(3))):
        assert set(before) == set(after)
        for name in before:
            # Worker 1 went on with worker 0's statistics of batch norm.
            if rank == 0 or "moving" not in name:
                np.testing.assert_array_equal(before[name], after[name], name)


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_job_saves_and_leaves_nothing_behind(tmp_path, faces_20, number):
    """Ctrl-C, and a launcher that is killed: the workers stop after the same step."""
    job = Job(tmp_path, faces_20, "wait", 1, 1)
    everyone = job.wait_for(job.out / "ready")
    job.process.send_signal(number)
    job.finish()
    assert job.code == (130 if number == signal.SIGINT else -9), job.errors
    assert gone(everyone, 1 if number == signal.SIGINT else 60)
    histories = [end["history"] for end in job.ends()]
    assert 2 <= len(histories[0]) < STEPS
    np.testing.assert_array_equal(*histories)
    np.testing.assert_array_equal(job.saved()["history"], histories[0])
    assert "Stopped after step" in (job.logs / "worker_0.log").read_text()


@pytest.fixture
def two_hosts():
    """Two network namespaces joined by a cable: like two hosts, 10.77.0.1 and .2."""
    names = [f"dcgan-{os.getpid()}-{side}" for side in "ab"]
    commands = [f"ip netns add {name}" for name in names]
    ends = " type veth peer name cable netns "
    commands.append(f"ip link add cable netns {names[0]}{ends}{names[1]}")
    for number, name in enumerate(names, 1):
        commands.append(f"ip -n {name} addr add 10.77.0.{number}/24 dev cable")
        commands += [f"ip -n {name} link set {device} up" for device in ("cable", "lo")]
    commands.append("unshare --uts hostname host-a")
    try:
        try:
            for command in commands:
                subprocess.run(command.split(), check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            told = getattr(error, "stderr", b"") or str(error).encode()
            pytest.skip(f"no network namespaces here: {told.decode().strip()}")
        yield names
    finally:
        for name in names:
            ip = ["ip", "netns"]
            with contextlib.suppress(OSError):
                inside = subprocess.run([*ip, "pids", name], capture_output=True)
                for number in inside.stdout.split():
                    os.kill(int(number), signal.SIGKILL)
                subprocess.run([*ip, "del", name], capture_output=True)


@linux
def test_two_hosts_train_as_one(two_hosts, tmp_path, faces_20, simulated):
    """One worker on each, each with a disk of its own, and only a cable between."""
    (tmp_path / "worker.py").write_text(WORKER)
    python = Path(sys.executable)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    hosts = []
    for number, name in enumerate(two_hosts):
        # Hosts must have different names, or MindSpore counts their devices as one's.
        host = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
        msrun = (
            f"-m mindspore.parallel.cluster.run --worker_num=2 --local_worker_num=1 \
            --node_rank={number} --master_addr=10.77.0.1 --master_port=8118 --join=True"
        )
        log_dir = f"--log_dir={tmp_path / name}"
        program = ["python", tmp_path / "worker.py", faces_20, tmp_path, "none", -1, -1]
        command = ["ip", "netns", "exec", name, *host, python, *msrun.split(), log_dir]
        hosts.append(
            subprocess.Popen(
                [*map(str, [*command, *program])],
                env={**os.environ, "PATH": path, "PYTHONPATH": str(TOP)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    printed = [host.communicate()[0] for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0], "\n".join(printed)
    ends = [dict(np.load(tmp_path / f"end-rank-{rank}.npz")) for rank in (0, 1)]
    for name, value in simulated[-1].items():
        if "moving" not in name:
            np.testing.assert_array_equal(ends[0][name], ends[1][name], err_msg=name)
            np.testing.assert_allclose(ends[0][name], value, 1e-4, 1e-6, err_msg=name)
    assert not (tmp_path / "rank-1").exists()
    # Every gradient went through the cable.
    show = f"ip -n {two_hosts[0]} -s -j link show cable"
    link = json.loads(subprocess.run(show.split(), capture_output=True).stdout)[0]
    numbers = sum(end.size for end in names_of_gradients(tmp_path))
    assert link["stats64"]["rx"]["bytes"] > STEPS * numbers * 4


def names_of_gradients(folder):
    record = dict(np.load(folder / "step-0-rank-0.npz"))
    return [record[name] for name in names_of("local", record)]


def test_a_worker_leaves_before_the_clean_up_that_crashes(run_program):
    program = """
import atexit, os, sys
from dcgan_utils.training.workers import leave_job

class Late:
    def __del__(self):
        print("too late")

late = Late()
atexit.register(print, "left the job")
if len(sys.argv) > 1:
    os.environ["MS_ROLE"] = "MS_WORKER"
print("trained", end=", ")
leave_job()
"""
    assert run_program(program, "in a job") == "trained, left the job\n"
    assert run_program(program) == "trained, left the job\ntoo late\n"


@linux
def test_under_plain_msrun_the_others_say_who_died(monkeypatch, capsys):
    ends = ("", "", "raise SystemExit(3)")
    others = [
        subprocess.Popen([sys.executable, "-c", f"input(); {end}"], stdin=-1)
        for end in ends
    ]
    monkeypatch.setattr(os, "getppid", os.getpid)  # as if msrun had started us as well
    numbers = [other.pid for other in others]
    watch = threading.Thread(target=_tell_of_death, args=(numbers,), daemon=True)
    watch.start()
    others[1].kill()
    for number in (0, 2):
        others[number].stdin.write(b"\n")
        others[number].stdin.flush()
    watch.join(timeout=60)
    for other in others:
        other.communicate()
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "Worker 1 was killed by signal 9 (SIGKILL).",
        "Worker 2 ended with exit code 3.",
    ]


# --- what cannot be ------------------------------------------------------------------


@linux
@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_a_number_of_workers_that_cannot_be_is_refused(tmp_path, workers):
    with pytest.raises(CourseError, match=f"--workers {workers} cannot be.*take 1 to"):
        launch(["-c", "print(1)"], workers, log_dir=tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_two_workers_can_be_tried_on_any_machine(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setenv("DCGAN_DEVICE", "cpu")
    assert job.count_devices() == (2, "processor cores")
    monkeypatch.setattr(os, "cpu_count", lambda: 48)
    assert job.count_devices() == (48, "processor cores")


def test_npus_are_counted_where_there_are_some(monkeypatch):
    class Devices:
        def glob(self, pattern):
            assert pattern == "davinci[0-9]*"
            return iter(range(8))

    monkeypatch.setattr(job, "Path", lambda folder: Devices())
    assert job.count_devices() == (8, "NPUs")


@linux
def test_a_busy_port_is_refused(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CourseError, match=f"Port {port} is in use.*--port"):
            launch(["-c", "print(1)"], 2, port, tmp_path / "logs")
    with pytest.raises(CourseError, match="--port 80 cannot be: take one from 1024"):
        launch(["-c", "print(1)"], 2, 80, tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


@linux
def test_logs_that_cannot_be_written_get_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match=r"No logs can be written to .*file"):
        launch(["-c", "print(1)"], 2, log_dir=tmp_path / "file")


def test_other_systems_are_told_that_msrun_needs_linux(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(CourseError, match="Linux only: leave out --workers"):
        launch(["-c", "print(1)"], 2, log_dir=tmp_path)


@linux
def test_a_worker_that_fails_is_named_with_its_last_words(tmp_path, capfd):
    """And its exit code is forwarded."""
    # No real worker fails sooner: it imports MindSpore first.
    program = "import os, sys, time; time.sleep(2); rank = os.environ['RANK_ID']\n" + (
        "if os.environ['MS_ROLE'] == 'MS_WORKER' and rank == '1':\n"
        "    print('[WARNING] ME(1): a log line'); sys.exit('No such folder: x.')"
    )
    assert launch(["-c", program], 2, log_dir=tmp_path / "logs") == 1
    printed, errors = capfd.readouterr()
    assert printed == ""
    first, last = errors.splitlines()
    assert "Worker 1 ended with exit code 1" in first
    assert last == "No such folder: x."


def test_a_rank_table_is_read_for_its_number_of_devices(tmp_path):
    table = tmp_path / "hccl_2p.json"
    device = {"device_id": "0", "device_ip": "192.0.2.1", "rank_id": "0"}
    servers = [{"server_id": "10.0.0.1", "device": [device] * 8}] * 2
    table.write_text(json.dumps({"version": "1.0", "server_list": servers}))
    assert read_rank_table(table) == 16
    for wrong in ('{"server_list": []}', "no json", "[1, 2]", '{"server_list": [3]}'):
        table.write_text(wrong)
        with pytest.raises(CourseError, match=r"is no rank table.*not needed"):
            read_rank_table(table)
    with pytest.raises(CourseError, match="is no rank table"):
        read_rank_table(tmp_path / "nowhere.json")
