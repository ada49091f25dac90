"""Settings from the environment: each kind's good values, and bad ones that name variable and value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picapweb import environment
from picapweb.environment import BadSetting
from tests.server import ROOT, clean_environment

NAME = "PICAPWEB_TEST"


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch):
    return lambda value: monkeypatch.setenv(NAME, value)


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        (environment.text, "a b", "a b"),
        (environment.words, "a, b ,,c", ["a", "b", "c"]),
        (environment.integer, "-12", -12),
        (environment.boolean, "Yes", True),
        (environment.boolean, "0", False),
        (environment.seconds, "30", 30.0),
        (environment.seconds, "1h30m", 5400.0),
        (environment.seconds, "1.5s250ms", 1.75),
        (environment.seconds, "1us", 1e-06),
        (environment.size, "4096", 4096),
        (environment.size, "500MB", 500_000_000),
        (environment.size, "2GiB", 2 * 1024**3),
        (environment.path, "/a/../b", Path("/b")),
    ],
)
def test_good_values(set_to, read, value, wanted):
    set_to(value)
    assert read(NAME) == wanted


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (environment.integer, "1.5", "PICAPWEB_TEST='1.5' is not a whole number"),
        (environment.integer, "１", "is not a whole number"),
        (environment.boolean, "maybe", "PICAPWEB_TEST='maybe' is neither true nor false"),
        (environment.seconds, "soon", "PICAPWEB_TEST='soon' is not a duration"),
        (environment.seconds, "-1s", "is not a duration"),
        (environment.seconds, "1s2", "is not a duration"),
        (environment.size, "2 GBs", "PICAPWEB_TEST='2 GBs' is not a size"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(set_to, read, value, words):
    set_to(value)
    with pytest.raises(BadSetting, match=words.replace(".", r"\.")):
        read(NAME)


def test_bounds_choices_and_schemes(set_to):
    set_to("7")
    with pytest.raises(BadSetting, match="too small: the least is 8"):
        environment.integer(NAME, least=8)
    with pytest.raises(BadSetting, match="too large: the most is 6"):
        environment.integer(NAME, most=6)
    with pytest.raises(BadSetting, match="is not one of local, server"):
        environment.text(NAME, choices=("local", "server"))
    set_to("mysql://user:secret@host/name")
    with pytest.raises(BadSetting) as raised:
        environment.url(NAME, schemes=("postgresql",))
    assert "begins with 'mysql'" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_absent_and_empty_are_the_default_and_required_is_required(set_to):
    assert environment.integer(NAME, 5) == 5
    set_to("")
    assert environment.integer(NAME, 5) == 5
    with pytest.raises(BadSetting, match="PICAPWEB_TEST is not set"):
        environment.text(NAME)


def test_a_file_may_hold_the_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(secret))
    assert environment.text(NAME) == "s3cret"
    monkeypatch.setenv(NAME, "other")
    with pytest.raises(BadSetting, match="PICAPWEB_TEST and PICAPWEB_TEST_FILE are both set"):
        environment.text(NAME)
    monkeypatch.delenv(NAME)
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nonesuch"))
    with pytest.raises(BadSetting, match=r"PICAPWEB_TEST_FILE='.*nonesuch' cannot be read"):
        environment.text(NAME)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_are_the_sum_of_their_parts(hours: int, minutes: int, seconds: int, milliseconds: int):
    written = f"{hours}h{minutes}m{seconds}s{milliseconds}ms"
    assert environment.parse_duration(written) == pytest.approx(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


def settings_with(tmp_path: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    values = clean_environment(PICAPWEB_DATA=str(tmp_path / "data"), **variables)
    program = f"from django.conf import settings as s\n{code}"
    values["DJANGO_SETTINGS_MODULE"] = "picapweb.settings"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=values, capture_output=True, text=True)


def test_the_secret_key_is_made_once_in_local_mode_and_demanded_in_server_mode(tmp_path: Path):
    first = settings_with(tmp_path, "print(s.SECRET_KEY)")
    assert len(first.stdout.strip()) > 50
    assert settings_with(tmp_path, "print(s.SECRET_KEY)").stdout == first.stdout
    assert os.stat(tmp_path / "data" / "secret_key").st_mode & 0o777 == 0o600
    server = settings_with(tmp_path, "print(s.SECRET_KEY)", PICAPWEB_MODE="server")
    assert "SECRET_KEY (or SECRET_KEY_FILE) must be set in server mode" in server.stderr


def test_a_database_url_in_all_its_parts(tmp_path: Path):
    url = "postgresql://us%40er:p%2Fw@db.example:5433/name?sslmode=require"
    code = "d = s.DATABASES['default']; print(d['USER'], d['PASSWORD'], d['HOST'], d['PORT'], d['NAME'], d['OPTIONS']['sslmode'])"
    assert settings_with(tmp_path, code, DATABASE_URL=url).stdout == "us@er p/w db.example 5433 name require\n"
    assert "DATABASE_URL names no database" in settings_with(tmp_path, code, DATABASE_URL="postgresql://host").stderr
    assert "must begin with one of postgresql:" in settings_with(tmp_path, code, DATABASE_URL="sqlite:///x").stderr
