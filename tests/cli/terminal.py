"""One command as a person at a terminal meets it: what it was given, what it said, how it ended."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from studio import cli


@dataclass(frozen=True, slots=True)
class Said:
    """The exit code, and the text on both streams."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on stdout; fails when there is more or less than one."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def studio(*arguments: object, workspace: Path | None = None, as_json: bool = True) -> Said:
    """Runs one command in this process."""
    argv = [str(argument) for argument in arguments]
    argv += ["--workspace", str(workspace)] if workspace is not None else []
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main([*argv, "--json"] if as_json else argv)
    return Said(code, out.getvalue(), err.getvalue())


def done(*arguments: object, workspace: Path | None = None):
    """The JSON document of a command that has to succeed."""
    said = studio(*arguments, workspace=workspace)
    assert said.code == 0, said.out + said.err
    return said.document
