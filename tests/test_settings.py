"""config.py and the package itself: profiles, environment variables, errors."""

import dataclasses
from dataclasses import fields, replace

import pytest

from dcgan_utils import CourseError
from dcgan_utils.settings import (
    PRESETS,
    PROFILES,
    Settings,
    course_root,
    load_settings,
    recipe,
    settings_table,
)


def test_the_package_imports_neither_mindspore_nor_matplotlib(run_program):
    printed = run_program(
        "import sys, dcgan_utils, dcgan_utils.settings, dcgan_utils.device;"
        "import dcgan_utils.show.live;"
        "heavy = {'mindspore', 'matplotlib', 'torch', 'scipy'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    assert printed.strip() == "[]"


def test_full_is_the_published_tutorial():
    full = PROFILES["full"]
    assert (full.data, full.face_count, full.image_size) == ("anime", 0, 64)
    assert (full.latent_size, full.generator_maps) == (100, 64)
    assert (full.discriminator_maps, full.batch_size, full.epochs) == (64, 128, 10)
    assert (full.generator_rate, full.discriminator_rate) == (2e-4, 2e-4)
    assert (full.beta1, full.real_label, full.average_decay) == (0.5, 1.0, 0.0)


def test_imagenet32_has_the_values_of_the_modelzoo():
    s = PRESETS["imagenet32"]
    assert (s.image_size, s.latent_size) == (32, 100)
    assert (s.generator_maps, s.discriminator_maps) == (64 * 2, 64 * 2)
    assert (s.batch_size, s.epochs, s.beta1) == (128, 20, 0.5)
    assert (s.generator_rate, s.discriminator_rate) == (0.0002, 0.0002)
    assert (s.real_label, s.average_decay) == (1.0, 0.0)


def test_class_is_the_default():
    assert load_settings() == PROFILES["class"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_knows_its_own_name(profile, monkeypatch):
    monkeypatch.setenv("DCGAN_PROFILE", profile)
    assert load_settings() == PROFILES[profile]
    assert load_settings().profile == profile


def test_an_empty_variable_is_no_variable(monkeypatch):
    monkeypatch.setenv("DCGAN_PROFILE", "")
    monkeypatch.setenv("DCGAN_DATA", "")
    assert load_settings() == PROFILES["class"]


def test_unknown_words_are_refused_with_the_words_that_work(monkeypatch):
    monkeypatch.setenv("DCGAN_PROFILE", "huge")
    with pytest.raises(CourseError, match=r"huge.*smoke, class or full"):
        load_settings()
    monkeypatch.delenv("DCGAN_PROFILE")
    monkeypatch.setenv("DCGAN_DATA", "cats")
    with pytest.raises(CourseError, match=r"cats.*use sample, anime, or"):
        load_settings()


def test_the_data_can_be_chosen_apart_from_the_profile(monkeypatch, tmp_path):
    monkeypatch.setenv("DCGAN_PROFILE", "full")
    monkeypatch.setenv("DCGAN_DATA", "sample")
    chosen = load_settings()
    # As many sample faces as there are can only be drawn if a number is given.
    assert chosen == replace(PROFILES["full"], data="sample", face_count=20_000)
    assert chosen.data_dir == tmp_path / "data" / "sample-20000"
    assert chosen.run_dir == tmp_path / "build" / "full-sample"
    assert load_settings(face_count=9).face_count == 9


def test_changes_come_last():
    changed = load_settings(epochs=3, seed=7)
    assert changed == replace(PROFILES["class"], epochs=3, seed=7)


def test_a_change_of_data_wins_over_the_variable(monkeypatch):
    monkeypatch.setenv("DCGAN_DATA", "anime")
    assert load_settings(data="sample") == PROFILES["class"]
    with pytest.raises(CourseError, match="cats"):
        load_settings(data="cats")


def test_folders_follow_the_variables_else_the_course(monkeypatch, tmp_path):
    anime = Settings()
    assert anime.data_dir == tmp_path / "data" / "anime"
    assert anime.run_dir == tmp_path / "build" / "full-anime"
    monkeypatch.delenv("DCGAN_DATA_DIR")
    monkeypatch.delenv("DCGAN_BUILD_DIR")
    course = tmp_path / "course"
    (course / "dcgan_utils").mkdir(parents=True)
    (course / "dcgan_utils" / "settings.py").touch()
    (course / "notebooks" / "solutions").mkdir(parents=True)
    monkeypatch.chdir(course / "notebooks" / "solutions")
    assert course_root() == course
    assert anime.data_dir == course / "data" / "anime"
    assert anime.build_dir == course / "build"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert course_root() == tmp_path / "elsewhere"


def test_home_is_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DCGAN_DATA_DIR", "~/pictures")
    assert Settings().data_dir == tmp_path / "pictures" / "anime"


def test_settings_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROFILES["full"].epochs = 1


def test_folders_can_be_given_and_are_no_part_of_the_recipe(tmp_path):
    here = Settings(pictures=str(tmp_path / "photos"), out=str(tmp_path / "run"))
    assert here.data_dir == tmp_path / "photos"
    assert here.run_dir == tmp_path / "run"
    assert here == Settings()
    assert recipe(here) == recipe(Settings())
    names = {f.name for f in fields(Settings)}
    assert set(recipe(here)) == names - {"pictures", "out"}


def test_the_table_names_every_setting_once():
    lines = settings_table(PROFILES["smoke"]).splitlines()
    assert [line.split()[0] for line in lines] == list(recipe(Settings()))
    assert lines[0].split() == ["profile", "smoke"]
