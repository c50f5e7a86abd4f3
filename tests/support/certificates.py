"""Certificates made by the tests themselves: a small authority on the curve P-256, in plain Python.

Nothing here is for anything but tests: keys are drawn from a seed.
Sources: RFC 5280 (certificates), SEC 1 (keys and signatures), RFC 5480 (the curve's names).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None

SIGNED = bytes.fromhex("06082a8648ce3d040302")
"""ecdsa-with-SHA256."""
KEY_KIND = bytes.fromhex("06072a8648ce3d0201")
CURVE = bytes.fromhex("06082a8648ce3d030107")
COMMON_NAME = bytes.fromhex("0603550403")
CONSTRAINTS, USAGE, NAMES, OWN_KEY, ISSUER_KEY = (
    bytes.fromhex(f"0603551d{number}") for number in ("13", "0f", "11", "0e", "23")
)


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, both in PEM."""

    pem: str
    key_pem: str


@dataclass(frozen=True)
class _Key:
    secret: int
    public: bytes

    @property
    def mark(self) -> bytes:
        return hashlib.sha1(self.public).digest()


class Authority:
    """Signs certificates; `pem` is its own, which a client must trust."""

    def __init__(self, name: str = "Rayline tests", seed: int = 1) -> None:
        self._random = Random(seed)
        self._name = name
        self._key = self._draw_key()
        self._own = self._sign(name, self._key, is_authority=True)
        self.pem = self._own.pem

    def own(self) -> Certificate:
        """Return the authority's own certificate, which it signed itself."""
        return self._own

    def issue(self, *hosts: str, days: tuple[int, int] = (-10, 365)) -> Certificate:
        """Return a certificate of some hosts, valid within `days` from now."""
        return self._sign(hosts[0], self._draw_key(), hosts=hosts, days=days)

    def _draw_key(self) -> _Key:
        secret = self._random.randrange(1, ORDER)
        point = _times(secret, BASE)
        assert point is not None
        return _Key(
            secret, b"\x04" + b"".join(one.to_bytes(32, "big") for one in point)
        )

    def _sign(
        self,
        name: str,
        key: _Key,
        *,
        hosts: tuple[str, ...] = (),
        days: tuple[int, int] = (-10, 365),
        is_authority: bool = False,
    ) -> Certificate:
        now = datetime.now(UTC)
        spki = _sequence(_sequence(KEY_KIND, CURVE), _bits(key.public))
        body = _sequence(
            _tagged(0xA0, _integer(2)),
            _integer(self._random.getrandbits(64)),
            _sequence(SIGNED),
            _named(self._name),
            _sequence(*(_instant(now + timedelta(days=day)) for day in days)),
            _named(name),
            spki,
            _tagged(0xA3, self._extensions(key, hosts, is_authority=is_authority)),
        )
        signed = _sequence(body, _sequence(SIGNED), _bits(self._signature(body)))
        return Certificate(
            _pem("CERTIFICATE", signed), _pem("EC PRIVATE KEY", _stored(key))
        )

    def _extensions(
        self, key: _Key, hosts: tuple[str, ...], *, is_authority: bool
    ) -> bytes:
        truth = bytes.fromhex("0101ff")
        listed = [
            _sequence(OWN_KEY, _octets(_octets(key.mark))),
            _sequence(ISSUER_KEY, _octets(_sequence(_tagged(0x80, self._key.mark)))),
        ]
        if is_authority:
            listed += [
                _sequence(CONSTRAINTS, truth, _octets(_sequence(truth))),
                _sequence(USAGE, truth, _octets(bytes.fromhex("03020106"))),
            ]
        if hosts:
            listed.append(_sequence(NAMES, _octets(_sequence(*map(_host, hosts)))))
        return _sequence(*listed)

    def _signature(self, body: bytes) -> bytes:
        digest = int.from_bytes(hashlib.sha256(body).digest(), "big")
        once = self._random.randrange(1, ORDER)
        point = _times(once, BASE)
        assert point is not None
        r = point[0] % ORDER
        s = pow(once, -1, ORDER) * (digest + r * self._key.secret) % ORDER
        return _sequence(_integer(r), _integer(s))


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (
        (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
        if one == other
        else (y2 - y1) * pow(x2 - x1, -1, P)
    )
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(number: int, point: Point) -> Point:
    total: Point = None
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tagged(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tagged(0x03, b"\0" + content)


def _octets(content: bytes) -> bytes:
    return _tagged(0x04, content)


def _named(name: str) -> bytes:
    text = _tagged(0x0C, name.encode())
    return _sequence(_tagged(0x31, _sequence(COMMON_NAME, text)))


def _instant(moment: datetime) -> bytes:
    return _tagged(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode())


def _host(name: str) -> bytes:
    try:
        return _tagged(0x87, ipaddress.ip_address(name).packed)
    except ValueError:
        return _tagged(0x82, name.encode())


def _stored(key: _Key) -> bytes:
    return _sequence(
        _integer(1),
        _octets(key.secret.to_bytes(32, "big")),
        _tagged(0xA0, CURVE),
        _tagged(0xA1, _bits(key.public)),
    )


def _pem(kind: str, content: bytes) -> str:
    lines = base64.encodebytes(content).decode()
    return f"-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n"
