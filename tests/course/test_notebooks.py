"""What every notebook must be: stored from one run, readable, true to the package."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("[0-9]*.ipynb"))
CHECK = re.compile(r"^check\(", re.M)
TAGS = {"nbval-ignore-output"}  # cells whose output depends on the profile
TAUGHT = {
    "01_data": {"create_dataset"},
    "02_networks": {
        "Discriminator",
        "Generator",
        "LeakyReLU",
        "count_parameters",
        "layer_widths",
    },
    "03_training": {
        "discriminator_loss",
        "generator_loss",
        "make_average_step",
        "make_train_step",
        "train",
    },
    "04_results": {"save_gif", "smooth"},
    "05_latent_space": {
        "average_direction",
        "calculate",
        "draw",
        "find_noise",
        "linear_probe",
        "move",
        "slerp",
    },
    "06_evaluation": {
        "coverage",
        "distances",
        "fid",
        "kid",
        "learn_by_heart",
        "memorisation",
        "precision_recall",
        "standard_error",
    },
    "07_failure_modes": {
        "Verdict",
        "batch_norm_astray",
        "collapsed",
        "discriminator_won",
        "epsilon_too_large",
        "labels_swapped",
        "modes_covered",
        "noise_not_fixed",
        "picture_distances",
        "uneven_stamps",
        "wrong_range",
    },
    "10_export": {
        "draw_with_mindir",
        "draw_with_onnx",
        "export_mindir",
        "export_onnx",
    },
    "09_distributed": {"MeanGradients", "Place", "share"},
    "11_features": {
        "GuidedReLU",
        "feature_maps",
        "guided_gradient",
        "linear_answers",
        "max_pool",
        "pooled_features",
    },
}


def every(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [c for c in read(path).cells if c.cell_type == "code" and c.source.strip()]


def prose(path):
    return "\n\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")


def definitions(source):
    """Top-level functions and classes of a source text: name → text."""
    return {
        node.name: ast.get_source_segment(source, node)
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def test_every_lesson_has_its_solutions():
    assert [p.stem[:2] for p in LESSONS] == [p.stem[:2] for p in SOLUTIONS]
    assert {p.stem for p in LESSONS} >= set(TAUGHT)


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
    assert len(exercises) >= 2
    for cell in exercises:
        assert "No answer yet" in cell.outputs[0].text, cell.source[:60]


@every(SOLUTIONS)
def test_solutions_solve_every_exercise(path):
    lesson = next(p for p in LESSONS if p.stem[:2] == path.stem[:2])
    wanted = sum(bool(CHECK.search(cell.source)) for cell in code_cells(lesson))
    texts = [o.get("text", "") for cell in code_cells(path) for o in cell.outputs]
    assert sum("✓" in text for text in texts) == wanted


@every(LESSONS)
def test_definitions_equal_their_twins_in_the_package(path):
    package = {}
    for room in sorted((ROOT / "dcgan_utils").rglob("*.py")):
        package |= definitions(room.read_text(encoding="utf-8"))
    found = set()
    for number, cell in enumerate(read(path).cells):
        if cell.cell_type != "code":
            continue
        for name, text in definitions(cell.source).items():
            if name in package:
                found.add(name)
                message = f"{path.stem}, cell {number}: {name} differs from its twin"
                assert text == package[name], message
    assert found >= TAUGHT.get(path.stem, set())


@every(LESSONS)
def test_code_cells_fit_on_a_projector(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert max(map(len, lines)) <= 88, cell.source[:60]
        if not set(definitions(cell.source)) & set().union(*TAUGHT.values()):
            assert len(lines) <= 20, f"{len(lines)} lines: {cell.source[:60]}"
