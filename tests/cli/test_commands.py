"""Each command of the table can be found and explains its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanok.cli.commands import run


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("up", "--driver --listen --port --state --region --database --public-url --tls-cert"),
        ("openrc", "--reset --state --database --config"),
        ("project add", "--description --state"),
        ("project list", "--state"),
        ("user add", "--project --role --password-stdin --state"),
        ("user list", "--state"),
        ("flavor add", "--name --vcpus --ram --disk --state --region"),
        ("flavor list", "--state --region"),
        ("image add", "--name --format --property --private --state --region"),
        ("image list", "--state --region"),
    ],
)
def test_help_names_the_options(
    command: str, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    for option in options.split():
        assert option in said


def test_the_code_of_a_command_is_handed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["openrc", "--state", str(tmp_path)]) == 1
    assert "openrc is not there" in capsys.readouterr().err
    (tmp_path / "openrc").touch()
    assert run(["openrc", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/openrc\n"
