#!/bin/sh
# Make .venv with everything the Makefile's targets need.  usage: setup.sh VENV EXTRA PACKAGE...
# Debian packages that are missing are installed when we are root; else they are named.
set -eu
venv=$1 extra=$2; shift 2

# Servers that the tests start by themselves, each with files of its own: the machine gets none.
configure_no_server() {
    case $1 in
    slapd)
        printf 'slapd slapd/no_configuration boolean true\n' | debconf-set-selections
        ;;
    dovecot-imapd)
        mask dovecot
        [ -e /etc/default/dovecot ] || printf 'ENABLED=0\n' >/etc/default/dovecot
        ;;
    fail2ban)
        mask fail2ban
        ;;
    postgresql)
        apt-get -qy install --no-install-recommends postgresql-common >/dev/null
        printf 'create_main_cluster = false\n' >>/etc/postgresql-common/createcluster.conf
        ;;
    esac
}

# Neither now nor at the next start of the machine; "systemctl unmask NAME" undoes it.
mask() {
    mkdir -p /etc/systemd/system
    [ -e "/lib/systemd/system/$1.service" ] || ln -sf /dev/null "/etc/systemd/system/$1.service"
}

# Debian starts what is installed, unless this says no.
start_nothing() {
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] && return
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
}

install_packages() {
    echo "setup: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    start_nothing
    apt-get -q update >/dev/null
    for package in "$@"; do configure_no_server "$package"; done
    apt-get -qy install --no-install-recommends "$@" >/dev/null
}

python=${PYTHON:-}
for candidate in $python python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { echo "setup: Python 3.11 or later is needed; install it, or set PYTHON" >&2; exit 1; }

missing=
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="python3-venv"
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        command -v "$package" >/dev/null 2>&1 || missing="$missing $package"
done
beside=
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        case $missing in python3-venv*) install_packages python3-venv ;; esac
        case $extra in
        *bench*) # shellcheck disable=SC2086  # one word per package
            install_packages $missing ;; # something is compiled against them
        *) # shellcheck disable=SC2086
            install_packages $missing &
            beside=$! ;;
        esac
    else
        echo "setup: please install as root: apt-get install $missing" >&2
        exit 1
    fi
fi

install_python_packages() {
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || return
    echo "setup: installing Python packages into $venv; the first time that takes a minute"
    "$venv/bin/pip" install -q --disable-pip-version-check -e ".${extra:+[$extra]}"
}

status=0
install_python_packages || status=$?
[ -z "$beside" ] || wait "$beside" || status=$?
exit "$status"
