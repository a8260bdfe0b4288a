"""The core needs urllib3 and nothing else."""

import subprocess
import sys
from pathlib import Path

import urllib3

import wxcs_lite

ROOT = Path(__file__).parents[1]


def test_the_core_runs_with_urllib3_alone(tmp_path: Path) -> None:
    """Without site-packages, and with only urllib3 and this package on the path, doctests and tour pass."""
    for package in (urllib3, wxcs_lite):
        (tmp_path / package.__name__).symlink_to(package.__path__[0])
    code = (
        f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r}); "
        "runpy.run_path('tests/bare.py', run_name='__main__')"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "besides urllib3: nothing" in done.stdout
