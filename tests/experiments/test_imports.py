"""What importing the package costs: the slow part of SciPy stays out."""

import subprocess
import sys


def test_scipy_stats_is_not_loaded():
    code = "import sys, studio.experiments.analyze, studio.experiments.planner, studio.experiments.spec_file; "
    heavy = "print(sorted({'scipy.stats', 'scipy.optimize', 'pandas', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
