#!/bin/sh
# Make vm-ari_VERSION_ARCH.deb: the program with everything it needs, in /opt/vm-ari.
# usage: packaging/debian/build.sh [DIRECTORY]   (by default dist/)
#
# Needs python3, python3-venv, dpkg-deb and PyPI, here and not where it is installed. Made on the oldest
# Debian that it shall run on: the package wants the Python of the machine that made it.
set -eu
umask 022
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:-$here/dist}"
target=$(cd "${1:-$here/dist}" && pwd)
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root home=$work/root/opt/vm-ari

echo "build: wheel" >&2
mkdir "$work/source"
(cd "$here" && tar -c --exclude=./.venv --exclude=./.git --exclude=./build --exclude=./dist \
    --exclude='*.pyc' --exclude='./*.whl' .) | tar -x -C "$work/source"
"$python" -m venv "$home"
"$home/bin/pip" install -q --disable-pip-version-check "$work/source[postgres,speech]"
version=$("$home/bin/python" -c 'from importlib.metadata import version as v; print(v("vm-ari"))')
needs=$("$home/bin/python" -c 'import sys; a, b = sys.version_info[:2]
print(f"python3 (>= {a}.{b}), python3 (<< {a}.{b + 1})")')

echo "build: texts" >&2
mkdir -p "$root/usr/bin" "$root/usr/share/man/man1" "$root/usr/share/doc/vm-ari/examples" \
    "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
    "$root/usr/share/fish/vendor_completions.d" "$root/lib/systemd/system" \
    "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d" "$root/etc/logrotate.d" "$root/DEBIAN"
vm_ari="$home/bin/python -m vm_ari"
"$home/bin/python" -m vm_ari.cli.man_pages "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/*.1
$vm_ari completion bash >"$root/usr/share/bash-completion/completions/vm-ari"
$vm_ari completion zsh >"$root/usr/share/zsh/vendor-completions/_vm-ari"
$vm_ari completion fish >"$root/usr/share/fish/vendor_completions.d/vm-ari.fish"
cd "$work/source"
cp packaging/systemd/*.service "$root/lib/systemd/system/"
cp packaging/systemd/sysusers.conf "$root/usr/lib/sysusers.d/vm-ari.conf"
cp packaging/systemd/tmpfiles.conf "$root/usr/lib/tmpfiles.d/vm-ari.conf"
cp asterisk-conf/logrotate/vm-ari.conf "$root/etc/logrotate.d/vm-ari"
cp packaging/debian/copyright README.md CHANGELOG.md "$root/usr/share/doc/vm-ari/"
cp -r asterisk-conf packaging/monitoring packaging/systemd/credentials.conf \
    "$root/usr/share/doc/vm-ari/examples/"
ln -s /opt/vm-ari/bin/vm-ari "$root/usr/bin/vm-ari"
ln -s /opt/vm-ari/share/vm-ari "$root/usr/share/vm-ari"

echo "build: the program moves to /opt/vm-ari" >&2
"$home/bin/pip" uninstall -q -y pip setuptools 2>/dev/null || :
find "$home/bin" -type f -exec sed -i "1s|^#!.*/python[0-9.]*|#!/opt/vm-ari/bin/python|" {} +
rm -f "$home"/bin/activate* "$home"/bin/Activate.ps1
sed -i "s|$home|/opt/vm-ari|g" "$home/pyvenv.cfg"
rm -f "$home"/lib/python3*/site-packages/vm_ari-*.dist-info/direct_url.json
find "$root" -name __pycache__ -prune -exec rm -rf {} +
"$python" -m compileall -q --invalidation-mode unchecked-hash -s "$root" "$home/lib" || :
if grep -rIl "$work" "$root" | head -5 | grep .; then
    echo "build: these files name the place where they were made" >&2
    exit 1
fi

arch=$(dpkg --print-architecture)
size=$(du -ks --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@PYTHON@/$needs/" -e "s/@SIZE@/$size/" \
    packaging/debian/control >"$root/DEBIAN/control"
echo /etc/logrotate.d/vm-ari >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print0 | sort -z | xargs -0 md5sum |
    sed 's|  \./|  |') >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Zzstd --build "$root" "$target/vm-ari_${version}_$arch.deb"
