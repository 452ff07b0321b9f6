"""The files that say what is installed agree, and the commands of the README exist."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]


def requirements(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    lines = [line.split("#")[0].split(" ;")[0].strip() for line in lines]
    return {
        r.name.lower(): r
        for r in (Requirement(x) for x in lines if x and not x.startswith("-"))
    }


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_requirements_are_what_a_student_expects():
    expected = (
        "mindspore numpy matplotlib pillow download jupyter tqdm ipywidgets nbval "
        "scipy onnx onnxruntime ipython psutil tomli"
    )
    assert set(requirements("requirements.txt")) == set(expected.split())
    assert not requirements("requirements.txt")["numpy"].specifier.contains("2.0.0")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("dcgan_utils", "requirements.txt"), ("tools", "requirements-dev.txt")],
)
def test_what_is_imported_stands_in_the_requirements(folder, name):
    known = set(requirements("requirements.txt")) | set(requirements(name))
    packages = {"PIL": "pillow", "IPython": "ipython", "mpl_toolkits": "matplotlib"}
    # PyTorch is large and wanted once in years: make_reference.py says how to get it.
    own = {"dcgan_utils", "tools", "torch", *sys.stdlib_module_names}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - own:
                assert packages.get(top, top).lower() in known, f"{path}: {top}"


def test_versions_stand_in_one_place():
    project = text("pyproject.toml")
    assert 'dynamic = ["dependencies"]' in project
    assert 'dependencies = { file = ["requirements.txt"] }' in project
    pip_section = re.search(r"- pip:\n((?:      - .*\n)+)", text("environment.yml"))
    assert pip_section.group(1).split() == ["-", "-r", "requirements.txt"]
    assert "-r requirements.txt" in text("requirements-dev.txt")


def test_python_versions_agree():
    project = re.search(r'requires-python = "(.*)"', text("pyproject.toml")).group(1)
    conda = re.search(r"- python(.*)", text("environment.yml")).group(1)
    assert SpecifierSet(project) == SpecifierSet(conda) == SpecifierSet(">=3.10,<3.13")
    assert "(3, 10) <= v <= (3, 12)" in text("Makefile")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_constraints_hold_every_requirement_at_an_allowed_version(name):
    locked = {}
    for line in text("constraints.txt").splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)==([^ ]+)", line)
        if found:
            locked.setdefault(found.group(1).lower(), []).append(found.group(2))
    for package, requirement in requirements(name).items():
        assert locked.get(package), f"{package} is not locked: make lock"
        assert all(requirement.specifier.contains(v) for v in locked[package]), package


def test_no_registry_or_machine_is_named_in_the_lock_file():
    assert "://" not in text("constraints.txt")


def test_the_command_line_is_installed_as_dcgan():
    scripts = '[project.scripts]\ndcgan = "dcgan_utils.cli.parser:main"\n'
    assert scripts in text("pyproject.toml")


def test_ci_runs_the_command_of_the_readme():
    assert "make test" in text(".ci/run")
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.M))
    named = set(re.findall(r"`?make ([a-z]+)", text("README.md")))
    assert {"run", "test", "lab", "check", "execute"} <= named <= targets


def test_a_wrong_python_gets_one_sentence():
    recipe = re.search(r"\$\(PYTHON\) -c '(.*)'", text("Makefile")).group(1)
    old = recipe.replace("sys.version_info[:2]", "(3, 9)")
    result = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Python 3.9 will not do" in result.stderr
    good = recipe.replace("sys.version_info[:2]", "(3, 12)")
    assert subprocess.run([sys.executable, "-c", good]).returncode == 0


def test_importing_the_package_starts_nothing_heavy():
    code = (
        "import dcgan_utils, sys; print({'mindspore', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.strip() == "set()"
