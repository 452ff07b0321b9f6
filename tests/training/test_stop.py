"""Signals that ask a training to stop."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from dcgan_utils.training.launcher import STOP
from dcgan_utils.training.stop import ALONE, StopSignals


def handlers():
    return [signal.getsignal(number) for number in (*ALONE, STOP)]


@pytest.fixture(autouse=True)
def same_handlers_afterwards():
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
    before = handlers()
    yield
    assert handlers() == before
    signal.signal(signal.SIGHUP, hang_up)


@pytest.mark.parametrize("number", ALONE, ids=lambda number: number.name)
def test_a_signal_asks_and_a_second_one_does_not_wait(number):
    signals = StopSignals()
    with pytest.raises(KeyboardInterrupt), signals:
        assert not signals.asked
        os.kill(os.getpid(), number)
        assert signals.asked
        os.kill(os.getpid(), number)
    with signals:  # once more: nobody has asked yet
        assert not signals.asked


def test_a_worker_hears_its_launcher_alone():
    before = handlers()
    with StopSignals(in_job=True) as signals:
        assert handlers()[:-1] == before[:-1]
        os.kill(os.getpid(), STOP)
        assert signals.asked


def test_what_is_ignored_stays_ignored():
    """As SIGHUP after nohup, so that a training outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not signals.asked
    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


def test_in_another_thread_nothing_is_caught_and_nothing_fails():
    def inside():
        with StopSignals():
            return handlers()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() == handlers()
