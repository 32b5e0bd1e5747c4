"""Subprocesses for what cannot be undone in this process: an interpreter without the patches, and a first import."""

import json
import os
import subprocess
import sys

import pytest

import icckd_mm  # noqa: F401  # installs the patches in the process of the tests


@pytest.fixture
def python(tmp_path):
    """Runs code in a fresh interpreter, in an empty folder, and returns what its function ``report(…)`` was given."""

    def run(code, *options, **environment):
        report = tmp_path / 'report.json'
        report.unlink(missing_ok=True)
        head = f'import json\ndef report(value):\n    open({str(report)!r}, "w").write(json.dumps(value))\n'
        done = subprocess.run(
            [sys.executable, *options, '-c', head + code],
            cwd=tmp_path,
            env={**os.environ, 'OMP_NUM_THREADS': '1', **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        run.stderr = done.stderr
        return json.loads(report.read_text())

    return run
