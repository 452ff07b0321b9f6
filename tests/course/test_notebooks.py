"""What every notebook must be: stored from one run, readable, true to the package."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from dcgan_utils.taught.exercises import find_exercise

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("[0-9]*.ipynb"))
CHECK = re.compile(r'^check\("(.+?)", ', re.M)
TAGS = {"nbval-ignore-output"}  # cells whose output depends on the profile


def every(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [c for c in read(path).cells if c.cell_type == "code" and c.source.strip()]


def prose(path):
    return "\n\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")


def definitions(source):
    """Public functions and classes of a source text: name → text, decorators too."""
    found, lines = {}, source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
            first = [*node.decorator_list, node][0].lineno
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


PACKAGE = {
    path: definitions(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "dcgan_utils").rglob("*.py"))
}
TAUGHT = {p.stem: d for p, d in PACKAGE.items() if p.parent.name == "taught" and d}


def test_every_lesson_has_its_solutions():
    assert [p.stem[:2] for p in LESSONS] == [p.stem[:2] for p in SOLUTIONS]


@every(LESSONS + SOLUTIONS)
def test_is_valid_small_and_of_the_right_kernel(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 3_500_000  # lesson 04 holds a film of 18 frames


@every(LESSONS + SOLUTIONS)
def test_is_stored_from_one_run_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every(LESSONS + SOLUTIONS)
def test_outputs_read_well_on_a_page(path):
    for cell in code_cells(path):
        start = cell.source[:60]
        for output in cell.outputs:
            assert output.output_type != "error", f"an error is stored below: {start}"
            assert output.get("name") != "stderr", f"a warning is stored below: {start}"
            widgets = [kind for kind in output.get("data", {}) if "widget" in kind]
            assert not widgets, f"a widget that a page cannot show, below: {start}"
            text = output.get("text", "")
            assert "\r" not in text, f"a progress bar in many states, below: {start}"
            assert text.count("\n") <= 40, f"a wall of text below: {start}"


@every(LESSONS + SOLUTIONS)
def test_has_one_title_and_known_tags(path):
    text = re.sub(r"```.*?```", "", prose(path), flags=re.S)
    assert len(re.findall(r"^# ", text, re.M)) == 1
    for cell in read(path).cells:
        assert set(cell.metadata.get("tags", [])) <= TAGS, cell.source[:60]


@every(LESSONS + SOLUTIONS)
def test_pictures_in_prose_have_alt_text_and_exist(path):
    text = prose(path)
    assert "<img" not in text, "use ![alt text](picture), which this test can read"
    for alt, target in re.findall(r"!\[(.*?)\]\((.*?)\)", text):
        assert len(alt) >= 20, f"{target} needs words for those who cannot see it"
        assert (path.parent / target).exists(), target


@every(LESSONS)
def test_lesson_has_its_parts(path):
    text = prose(path)
    parts = ("**You will**", "**You need**", "## If it goes wrong", "## Exercises")
    for part in (*parts, "## Where next", "**What you should see"):
        assert part in text, part
    assert "![" in text.split("**You will**")[0], "a picture of where we are going"
    exercises = [c for c in code_cells(path) if CHECK.search(c.source)]
    numbers = [CHECK.search(cell.source)[1] for cell in exercises]
    assert numbers == [f"{path.stem[:2]}.{n}" for n in (1, 2, 3, 4)]
    assert all(find_exercise(number) for number in numbers)
    for cell in exercises:
        assert "No answer yet" in cell.outputs[0].text, cell.source[:60]


@every(SOLUTIONS)
def test_solutions_solve_every_exercise(path):
    lesson = next(p for p in LESSONS if p.stem[:2] == path.stem[:2])
    wanted = sum(bool(CHECK.search(cell.source)) for cell in code_cells(lesson))
    texts = [o.get("text", "") for cell in code_cells(path) for o in cell.outputs]
    assert sum("✓" in text for text in texts) == wanted


@pytest.mark.parametrize("subject", sorted(TAUGHT))
def test_what_a_taught_file_defines_stands_in_its_lesson(subject):
    lessons = [path for path in LESSONS if path.stem[3:] == subject]
    assert len(lessons) == 1, f"taught/{subject}.py has {len(lessons)} lessons"
    cells = [definitions(cell.source) for cell in code_cells(lessons[0])]
    missing = set(TAUGHT[subject]).difference(*cells)
    assert not missing, f"no cell of {lessons[0].stem} defines {missing}"


@every(LESSONS + SOLUTIONS)
def test_definitions_equal_their_twins_in_the_package(path):
    twins = {name: text for file in PACKAGE.values() for name, text in file.items()}
    for number, cell in enumerate(read(path).cells):
        if cell.cell_type == "code":
            for name, text in definitions(cell.source).items():
                message = f"{path.stem}, cell {number}: {name} differs from its twin"
                assert text == twins.get(name, text), message


@every(LESSONS)
def test_code_cells_fit_on_a_projector(path):
    taught = set().union(*TAUGHT.values())
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert max(map(len, lines)) <= 88, cell.source[:60]
        if not taught & set(definitions(cell.source)):
            assert len(lines) <= 20, f"{len(lines)} lines: {cell.source[:60]}"
