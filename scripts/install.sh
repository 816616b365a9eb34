#!/bin/sh
# Installs the project with the given extras into a virtual environment, with compiled bytecode:
# without it every import of TensorFlow takes three times as long.
set -eu
bin=$1
extras=$2
echo "Installing (about 2 GB; a minute or two)..."
if [ -x "$bin/uv" ] && "$bin/uv" pip install --quiet --compile-bytecode --python "$bin/python" \
    --constraints constraints.txt --editable ".[$extras]"; then
  exit 0
fi
echo "uv could not install; trying pip."
"$bin/python" -m pip install --quiet --disable-pip-version-check --compile \
  --constraint constraints.txt --editable ".[$extras]"
