"""The order of the house: imports run one way; files and functions stay short."""

import ast
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["", "pictures", "taught", "show", "training", "cli", "__main__"]  # upwards
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in sorted((ROOT / "dcgan_utils").rglob("*.py"))
}
TEXT = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
LOOKS_UP = "dcgan_utils.lesson", "dcgan_utils.taught.exercises"  # only check does
every = pytest.mark.parametrize("name", FILES)


def floor(name):
    room = [*name.split("."), ""][1]
    return ROOMS.index(room) if room in ROOMS else 0


def imports(name):
    """What a module imports, at its top or in a function: dotted names."""
    package = ".".join(FILES[name].relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(TEXT[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{source}.{alias.name}" for alias in node.names)


def reach(name, found=frozenset()):
    """The course's modules that come with this one."""
    found |= {name}
    for wanted in imports(name):
        for module in (wanted, wanted.rpartition(".")[0]):
            if module in FILES and module not in found:
                found = reach(module, found)
    return found


@every
def test_imports_run_one_way(name):
    for wanted in imports(name):
        top = wanted.split(".")[0]
        assert top not in ("tools", "benchmarks", "tests"), f"{name} imports {wanted}"
        looks_up = name == LOOKS_UP[0] and wanted.startswith(LOOKS_UP[1])
        if top == "dcgan_utils" and not looks_up:
            assert floor(wanted) <= floor(name), f"{name} imports {wanted}"


@pytest.mark.parametrize("name", [n for n in FILES if ".taught." in n])
def test_a_taught_file_does_not_pull_the_house(name):
    lines = {module: TEXT[module].count("\n") for module in reach(name)}
    assert sum(lines.values()) <= 900


@every
def test_files_and_functions_are_short(name):
    lines = TEXT[name].count("\n")
    assert lines <= 300
    for node in ast.walk(ast.parse(TEXT[name])):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name
