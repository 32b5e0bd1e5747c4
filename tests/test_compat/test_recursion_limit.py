"""Deeply nested text is an error and not the end of the interpreter, also once mmrazor is imported."""

import subprocess
import sys

CODE = """
import json, icckd_mm, mmrazor.models, mmrazor.structures
from icckd_mm.lab.experiment.results import parse_record
try:
    parse_record(b'[' * 100_000)
except ValueError as error:
    print(error)
"""


def test_deep_json_does_not_crash_after_mmrazor_is_imported():
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]
    assert done.stdout.strip().endswith('it is nested too deeply')
