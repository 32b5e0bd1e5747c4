#!/usr/bin/env bash
# Makes a folder that asks a GPU without network: tools/dev/gpu_bundle.sh DIR [IMAGES]
#
# The folder holds the committed files, wheels of mmengine, mmcv-lite, mmpretrain, mmrazor and their needs, the archive IMAGES
# if given, and run.sh. The machine has Python 3.12 and requirements/gpu.txt; bash DIR/run.sh --out OUT runs it (docs/gpu.md).
# PYTHON names the Python whose pip downloads the wheels.
set -euo pipefail

usage='usage: tools/dev/gpu_bundle.sh DIR [IMAGES]; DIR is new or empty, IMAGES a tar archive for --data'
[[ $# -ge 1 && $# -le 2 && $1 != -* ]] || { echo "$usage" >&2; exit 2; }
[[ ! -e $1 || (-d $1 && -z $(ls -A "$1")) ]] || { echo "error: $1 is not empty; $usage" >&2; exit 2; }
[[ $# -eq 1 || -f $2 ]] || { echo "error: $2 does not exist; $usage" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
most=45 # MB

"${PYTHON:-python3}" -m pip --disable-pip-version-check download -q --no-deps --only-binary :all: --python-version 3.12 \
  -c "$root/requirements/constraints.txt" -r "$root/requirements/host.txt" -r "$root/requirements/gpu_bundle.txt" -d "$out/wheels"
git -C "$root" archive --format=tar.gz -o "$out/repository.tar.gz" HEAD \
  icckd_mm benchmarks configs requirements tests tools conftest.py pyproject.toml
if [[ $# -eq 2 ]]; then
  cp "$2" "$out/images.tar"
fi
cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# Unpacks the bundle beside itself once, then asks the GPU; all arguments go to tools/dev/gpu_quarter_hour.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
unpacked=$here/unpacked
if [[ ! -e $unpacked/complete ]]; then
  mkdir -p "$unpacked/repository" "$unpacked/site"
  tar xzf "$here/repository.tar.gz" -C "$unpacked/repository"
  for wheel in "$here"/wheels/*.whl; do
    "$python" -I -m zipfile -e "$wheel" "$unpacked/site"
  done
  touch "$unpacked/complete"
fi
images=()
[[ ! -e $here/images.tar ]] || images=(--data "$here/images.tar")
exec "$python" -I "$unpacked/repository/tools/dev/gpu_quarter_hour.py" "${images[@]}" "$@"
RUN
size=$(du -sm "$out" | cut -f1)
[[ $size -lt $most ]] || { echo "error: $out has $size MB, at most $most are wanted; give smaller images" >&2; exit 1; }
echo "$out: $size MB; on the machine with the GPU: bash $(basename "$out")/run.sh --out OUT"
