#!/usr/bin/env bash
# Prints a Python 3.11 or 3.12 that runs; PYTHON overrides the choice.
for python in ${PYTHON:-} python3.11 python3.12 python3 python; do
  if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
    echo "$python"
    exit 0
  fi
done
echo "Python 3.11 or 3.12 is needed and was not found; name one: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
