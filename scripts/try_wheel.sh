#!/bin/sh
# Build sdist and wheel, install them as users do (pipx, uv tool), and run the demo in an empty home.
# usage: scripts/try_wheel.sh [pipx|uv|sdist ...]   (all three by default)
#
# pipx, uv and build come from PyPI, into a directory that is removed afterwards.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/home"
(cd "$here" && tar -c --exclude=./.venv --exclude=./.git --exclude=./build --exclude=./dist \
    --exclude='*.pyc' --exclude='./*.whl' .) | tar -x -C "$work/source"
python3 -m venv "$work/tools"
"$work/tools/bin/pip" install -q --disable-pip-version-check build pipx uv
# the wheel is made from the sdist: what is missing there is missing at all
"$work/tools/bin/python" -m build -o "$work/dist" "$work/source" >"$work/build.log" ||
    { tail -20 "$work/build.log" >&2; exit 1; }
ls -l "$work/dist"

# Everything of the user is in the empty home, but for Asterisk, which the demo would fetch anew.
asterisk=${XDG_CACHE_HOME:-$HOME/.cache}/vm-ari
[ ! -d "$asterisk" ] || { mkdir -p "$work/home/.cache" && ln -s "$asterisk" "$work/home/.cache/vm-ari"; }
alone() {
    env -i HOME="$work/home" PATH="$work/home/.local/bin:/usr/bin:/bin" LANG=C.UTF-8 \
        ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} ${UV_INDEX_URL:+UV_INDEX_URL="$UV_INDEX_URL"} \
        ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} "$@"
}

python=$(command -v python3)
[ $# -gt 0 ] || set -- pipx uv sdist
for how in "$@"; do
    echo "== $how"
    case $how in
    pipx) alone "$work/tools/bin/pipx" install --python "$python" -q "$work"/dist/*.whl ;;
    uv) alone "$work/tools/bin/uv" tool install -q --python "$python" "$work"/dist/*.whl ;;
    sdist) alone "$work/tools/bin/uv" tool install -q --python "$python" "$work"/dist/*.tar.gz ;;
    *) echo "try_wheel: pipx, uv or sdist, not $how" >&2; exit 2 ;;
    esac
    alone vm-ari --version
    alone vm-ari demo
    case $how in
    pipx) alone "$work/tools/bin/pipx" uninstall vm-ari ;;
    *) alone "$work/tools/bin/uv" tool uninstall -q vm-ari ;;
    esac
done
echo "try_wheel: all is well"
