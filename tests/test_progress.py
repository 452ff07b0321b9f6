"""A bar on a terminal, lines in a log."""

import pytest

from dcgan_utils import progress


def test_a_terminal_gets_a_bar_and_a_log_gets_lines(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0)

    def show():
        with progress.progress_bar(3, "step", initial=1) as bar:
            bar.set_description_str("epoch 1/2  ", refresh=False)
            bar.set_postfix_str("D 0.50", refresh=False)
            bar.update()
            bar.update()
        return capsys.readouterr().out

    log = show()
    assert "\r" not in log
    assert log.count("\n") >= 2
    assert all(line[:2] == "20" for line in log.splitlines())  # a date
    assert "epoch 1/2  3/3 steps, D 0.50, " in log
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    terminal = show()
    assert "100%|" in terminal and "\r" in terminal
    assert "epoch" not in terminal


@pytest.mark.parametrize(
    ("terminal", "expected"),
    [(True, "Drawing: 100%|"), (False, "Drawing: 2/2 faces")],
)
def test_a_title_stands_before_both(terminal, expected, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    with progress.progress_bar(2, "face", "Drawing") as bar:
        bar.update(2)
    assert expected in capsys.readouterr().out
