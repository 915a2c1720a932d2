"""A command loads what it needs and no more; the table of commands says what the modules say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.cli import COMMANDS, parser

HEAVY = {"polars", "numpy", "scipy", "sqlalchemy", "pydantic", "httpx", "PySide6"}


@pytest.mark.parametrize("module", COMMANDS)
def test_a_module_has_the_commands_that_the_table_names(module: str) -> None:
    named = COMMANDS[module]
    one = parser(next(iter(named)))
    (commands,) = (action.choices for action in one._actions if action.dest == "command")
    assert set(commands) == set(named)


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    code = "import sys; from studio.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "recommend" in done.stdout


def test_the_process_that_fills_in_texts_loads_no_node_types() -> None:
    """Somebody waits for it before the first preview."""
    code = f"import sys, studio.nodes.render_worker; print(sorted({HEAVY | {'asyncio'}!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_list_of_runs_loads_neither_the_engine_nor_statistics(tmp_path: Path) -> None:
    code = f"import sys; from studio.__main__ import main; main(['runs', '--workspace', {str(tmp_path / 'w')!r}])\n"
    code += "print(sorted({'studio.engine.driver', 'scipy', 'httpx', 'alembic'} & set(sys.modules)), file=sys.stderr)"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # makes it, which takes migrations
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
