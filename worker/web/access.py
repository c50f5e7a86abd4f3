"""Who may do what: tokens, sign-in codes, sessions and the answers to forged forms.

Only hashes of tokens, codes and sessions are kept, in memory: a restart signs everybody out. Tokens are long and random,
so that a plain SHA-256 of one cannot be guessed back.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Address, ip_address, ip_network

from worker.config import ConsolePerson

IDLE, LONGEST = 12 * 3600.0, 7 * 24 * 3600.0
"""Seconds after which a session ends: without a request, and in any case."""
CODE_LIFE = 15 * 60.0
"""Seconds in which a sign-in code must be used."""
MOST_SESSIONS = 1_000
MOST_ADDRESSES = 10_000
HELD_BACK = 1.0
"""Seconds an answer is held back for, while failed attempts come from everywhere."""


class Role(StrEnum):
    """What a visitor may do: look, or act too."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class Pass(StrEnum):
    """How often a sign-in code still lets somebody in."""

    NEVER = "never"
    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request; `key` is what forms are signed with."""

    name: str
    role: Role
    key: str

    @property
    def may_act(self) -> bool:
        """Tell whether the visitor may ask for anything to be done."""
        return self.role is Role.OPERATOR


@dataclass(slots=True)
class _Session:
    visitor: Visitor
    opened: float
    seen: float


@dataclass(slots=True)
class Access:
    """The people who may come in, and who is in. Safe to use from several threads; `now` counts seconds."""

    people: Mapping[str, ConsolePerson]
    now: Callable[[], float] = time.monotonic
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _codes: dict[str, float] = field(default_factory=dict)
    _lasting: set[str] = field(default_factory=set)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, people: Mapping[str, ConsolePerson]) -> list[str]:
        """Let these people in from now on, end the sessions of who left or changed, and return their names."""
        names = sorted({*self.people, *people})
        changed = [name for name in names if self.people.get(name) != people.get(name)]
        with self._lock:
            self.people = people
            self._sessions = {
                key: session
                for key, session in self._sessions.items()
                if session.visitor.name not in changed
            }
        return changed

    def by_token(self, token: str) -> Visitor | None:
        """Return whose token this is."""
        shown = _hash(token)
        for name, person in self.people.items():
            kept = _token_hash(person)
            if kept and hmac.compare_digest(kept, shown):
                return self._visitor(name, Role(person.role))
        return None

    def by_name(self, name: str) -> Visitor | None:
        """Return the person of this name, whom a trusted proxy signed in."""
        person = self.people.get(name)
        return self._visitor(name, Role(person.role)) if person else None

    def issue_code(self, life: float | None = CODE_LIFE) -> str:
        """Return a code that signs in one operator once within `life` seconds; None: as often as it is shown."""
        code = secrets.token_urlsafe(18)
        with self._lock:
            if life is None:
                self._lasting.add(_hash(code))
            else:
                self._codes[_hash(code)] = self.now() + life
        return code

    def look_at(self, code: str) -> Pass:
        """Tell how often a code still signs in; to look uses up nothing."""
        shown = _hash(code)
        with self._lock:
            if shown in self._lasting:
                return Pass.ALWAYS
            until = self._codes.get(shown)
        if until is not None and until >= self.now():
            return Pass.ONCE
        return Pass.NEVER

    def redeem(self, code: str) -> Visitor | None:
        """Return the operator whom a code signs in; one with a life is used up."""
        shown = _hash(code)
        with self._lock:
            until = self._codes.pop(shown, None)
            is_lasting = shown in self._lasting
        if is_lasting or (until is not None and until >= self.now()):
            return self._visitor("operator", Role.OPERATOR)
        return None

    def open_session(self, visitor: Visitor) -> str:
        """Return the cookie of a new session; the oldest makes room for it."""
        cookie = secrets.token_urlsafe(32)
        now = self.now()
        with self._lock:
            self._drop_ended(now)
            while len(self._sessions) >= MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            entered = Visitor(visitor.name, visitor.role, _hash(cookie))
            self._sessions[_hash(cookie)] = _Session(entered, now, now)
        return cookie

    def by_session(self, cookie: str) -> Visitor | None:
        """Return who is in by a session that has not ended."""
        now = self.now()
        with self._lock:
            self._drop_ended(now)
            session = self._sessions.get(_hash(cookie))
            if session is None:
                return None
            session.seen = now
            return session.visitor

    def close_session(self, cookie: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hash(cookie), None)

    def form_key(self, visitor: Visitor) -> str:
        """Return what each form of a visitor carries, which no other site can know."""
        return hmac.new(self._key, visitor.key.encode(), sha256).hexdigest()

    def is_form_key(self, visitor: Visitor, shown: str) -> bool:
        """Tell whether a form was made for this visitor."""
        return hmac.compare_digest(
            self.form_key(visitor).encode(), shown.encode("utf-8", "replace")
        )

    def _visitor(self, name: str, role: Role) -> Visitor:
        return Visitor(name, role, f"name:{name}")

    def _drop_ended(self, now: float) -> None:
        ended = [
            key
            for key, session in self._sessions.items()
            if now - session.seen > IDLE or now - session.opened > LONGEST
        ]
        for key in ended:
            del self._sessions[key]


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _token_hash(person: ConsolePerson) -> str:
    token = person.token.get_secret_value()
    return _hash(token) if token else person.token_sha256


@dataclass(slots=True)
class Attempts:
    """Failed attempts to come in. After `of_one` of one address within a span nobody there is listened to until it is
    over. After `of_all` of all together the answer to each further one is held back, which hinders nobody who has what
    opens the door. Safe to use from several threads."""

    of_one: int = 8
    of_all: int = 60
    span: float = 60.0
    now: Callable[[], float] = time.monotonic
    _failed: dict[str, deque[float]] = field(default_factory=dict)
    _every: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, address: str) -> int:
        """Return the seconds for which an address must wait; 0 when it may try."""
        with self._lock:
            self._forget()
            now = self.now()
            known = self._failed.get(network_of(address), ())
            times = [at for at in known if at > now - self.span]
        if len(times) < self.of_one:
            return 0
        return max(1, int(times[-self.of_one] + self.span - now) + 1)

    def note_failure(self, address: str) -> float:
        """Remember a failed attempt, and return the seconds for which its answer is to be held back."""
        network = network_of(address)
        with self._lock:
            self._forget()
            times = self._failed.pop(network, deque(maxlen=self.of_one))
            times.append(self.now())
            # At the end of the row again: whoever tried last is forgotten last.
            self._failed[network] = times
            self._every.append(self.now())
            while len(self._failed) > MOST_ADDRESSES:
                del self._failed[next(iter(self._failed))]
            while len(self._every) > MOST_ADDRESSES:
                self._every.popleft()
            return HELD_BACK if len(self._every) > self.of_all else 0.0

    def _forget(self) -> None:
        oldest = self.now() - self.span
        while self._every and self._every[0] <= oldest:
            self._every.popleft()
        ended = []
        for network, times in self._failed.items():
            if times[-1] > oldest:
                break
            ended.append(network)
        for network in ended:
            del self._failed[network]


def network_of(address: str) -> str:
    """Return what is one caller: an address, of IPv6 the network of which one household has all."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))
