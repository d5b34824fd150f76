"""A certificate of our own for the portal, made at its first start (WEB-03)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=825)
"""Browsers take no longer ones."""
RENEW = timedelta(days=30)
"""So long before its end a start makes a new one."""


@dataclass(frozen=True)
class CertificateFiles:
    """PEM files."""

    certificate: Path
    key: Path


def self_signed(directory: Path, hosts: Sequence[str]) -> CertificateFiles:
    """The files, made anew where they are missing, for other hosts or nearly over.

    Blocking. Raises OSError.
    """
    files = CertificateFiles(directory / "portal.pem", directory / "portal.key")
    if not _still_good(files, hosts):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, hosts)
        plain = serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        _write(files.key, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), 0o600)
        _write(files.certificate, certificate.public_bytes(pem), 0o644)
    return files


def ends(certificate: Path) -> datetime:
    """When a certificate is over, in UTC. Raises OSError, ValueError."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _still_good(files: CertificateFiles, hosts: Sequence[str]) -> bool:
    """A key that does not fit to its certificate was left by a start that died between both."""
    try:
        found = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    fits = key.public_key() == found.public_key()
    over = datetime.now(UTC) + RENEW > found.not_valid_after_utc
    return fits and not over and set(names) == set(_names(hosts))


def _certificate(key: ec.EllipticCurvePrivateKey, hosts: Sequence[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(host.strip("[]")) for host in dict.fromkeys(hosts)]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(file: Path, content: bytes, mode: int) -> None:
    new = file.with_suffix(f"{file.suffix}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(handle)
    new.replace(file)
