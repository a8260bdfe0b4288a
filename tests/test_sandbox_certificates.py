"""The certificates of a run: they vouch for one host, and their keys are nowhere."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from wxcs_lite.sandbox.door.certificates import TRUST_STORE_PASSWORD, certify

HOST = "api.weixin.qq.com"


def authority(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())


def test_the_authority_can_vouch_for_one_host_alone(tmp_path: Path) -> None:
    """Not for another name, not for an address, and not through an authority under it."""
    certify(HOST, tmp_path)
    found = authority(tmp_path).extensions
    constraints = found.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [x509.DNSName(HOST)] == constraints.value.permitted_subtrees
    everywhere = [x509.IPAddress(IPv4Network("0.0.0.0/0")), x509.IPAddress(IPv6Network("::/0"))]
    assert everywhere == constraints.value.excluded_subtrees
    assert x509.BasicConstraints(ca=True, path_length=0) == found.get_extension_for_class(x509.BasicConstraints).value


def test_it_is_good_for_a_month(tmp_path: Path) -> None:
    """Longer than any run, and no longer; from yesterday on, because clocks differ."""
    certify(HOST, tmp_path)
    begin, end = authority(tmp_path).not_valid_before_utc, authority(tmp_path).not_valid_after_utc
    assert timedelta(hours=23) < datetime.now(UTC) - begin < timedelta(hours=25)
    assert timedelta(days=29) < end - datetime.now(UTC) < timedelta(days=31)


def test_each_run_has_its_own(tmp_path: Path) -> None:
    """A client that trusts one trusts no other."""
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        certify(HOST, tmp_path / name)
        found.append(authority(tmp_path / name))
    assert found[0].public_key() != found[1].public_key()
    assert found[0].serial_number != found[1].serial_number


def test_the_store_for_java_has_the_authority_alone(tmp_path: Path) -> None:
    """No key; the password is the one that everybody knows."""
    certify(HOST, tmp_path)
    store = load_pkcs12((tmp_path / "ca.p12").read_bytes(), TRUST_STORE_PASSWORD.encode())
    assert store.key is None
    assert [authority(tmp_path)] == [each.certificate for each in store.additional_certs]


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_is_in_a_file_of_its_owner_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """And afterwards in no file, whether it could be read or not."""
    modes = []

    def load(self: ssl.SSLContext, name: Any) -> None:
        modes.append(stat.S_IMODE(Path(name).stat().st_mode))
        assert b"PRIVATE KEY" in Path(name).read_bytes()
        if fails:
            raise ssl.SSLError("of its own")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    try:
        certify(HOST, tmp_path)
    except ssl.SSLError:
        assert fails
    assert [0o600] == modes
    assert ["ca.ini", "ca.p12", "ca.pem"] == sorted(path.name for path in tmp_path.iterdir())
