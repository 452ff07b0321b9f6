"""notebooks.py: lessons are run, measured, and stored with what they showed."""

import nbformat
import pytest

from dcgan_utils import CourseError
from tools.notebooks import execute_lessons, run_lessons, run_notebook


def write(path, *sources):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    nbformat.write(notebook, path)
    return path


def test_a_lesson_is_run_and_its_bar_left_in_one_line(tmp_path, capsys):
    bar = "print('10%', end='\\r'); print('100%')"
    lesson = write(tmp_path / "a.ipynb", bar, "import os; print(os.getcwd())")
    seconds, memory = run_notebook(lesson, tmp_path / "out.ipynb", tmp_path)
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert done.cells[0].outputs[0].text == "100%\n"
    assert done.cells[1].outputs[0].text.strip() == str(tmp_path)
    assert seconds > 0
    assert memory > 0
    assert "100%" in capsys.readouterr().out


def test_a_log_gets_a_line_of_the_bar_at_times_not_each_state(tmp_path, capsys):
    bar = "import time\nfor i in range(5):\n    print(f'\\r{i}/5', end='', flush=True)"
    lesson = write(tmp_path / "a.ipynb", bar + "\n    time.sleep(0.5)")
    run_notebook(lesson, tmp_path / "out.ipynb", tmp_path)
    assert capsys.readouterr().out.count("/5") == 1


def test_a_broken_cell_names_the_lesson_and_keeps_the_outputs(tmp_path):
    lesson = write(tmp_path / "b.ipynb", "print('before')", "1 / 0")
    with pytest.raises(CourseError, match=r"b\.ipynb stopped with ZeroDivisionError"):
        run_lessons([lesson], tmp_path / "out")
    done = nbformat.read(tmp_path / "out" / "b.ipynb", as_version=4)
    assert done.cells[0].outputs[0].text == "before\n"


def test_a_missing_lesson_is_named(tmp_path):
    with pytest.raises(CourseError, match="no notebook"):
        run_notebook(tmp_path / "none.ipynb", tmp_path / "out.ipynb", tmp_path)


def test_a_notebook_shows_the_sentence_of_a_course_error_alone(tmp_path):
    source = "from dcgan_utils import CourseError\nraise CourseError('Do this.')"
    lesson = write(tmp_path / "c.ipynb", source)
    with pytest.raises(CourseError):
        run_notebook(lesson, tmp_path / "out.ipynb", tmp_path)
    shown = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs[0]
    assert shown.traceback == ["CourseError: Do this."]


def test_execute_keeps_the_training_of_lesson_03_from_lesson_05_on(
    tmp_path, monkeypatch
):
    for name in ("DCGAN_BUILD_DIR", "DCGAN_PROFILE", "DCGAN_DATA"):
        monkeypatch.setenv(name, "")
    say = "import os\nprint(os.environ['DCGAN_BUILD_DIR'])"
    names = "03_a", "04_b", "05_c", "06_d"
    paths = [write(tmp_path / f"{name}.ipynb", say) for name in names]
    execute_lessons(paths)
    cells = [nbformat.read(path, as_version=4).cells[0] for path in paths]
    third, fourth, fifth, sixth = (cell.outputs[0].text for cell in cells)
    assert third == fourth
    assert len({third, fifth, sixth}) == 3
