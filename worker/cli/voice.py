"""The language of the console: one place decides it for everything the command line says."""

from __future__ import annotations

import os

from worker.domain.words import Words
from worker.locales import load_words

SPOKEN = ("en", "ru")
OWN = "RAYLINE_LANG"
SYSTEM = ("LC_ALL", "LC_MESSAGES", "LANG")


def voice(locale: str = "", currency: str = "") -> Words:
    """Return how the console speaks: as RAYLINE_LANG says, else in `locale`, the configuration's where one was read,
    else as the system is set up (LC_ALL, LC_MESSAGES, LANG), else English."""
    system = next((os.environ[name] for name in SYSTEM if os.environ.get(name)), "")
    asked = (os.environ.get(OWN, ""), locale, system)
    spoken = next((known for wish in asked if (known := _known(wish))), SPOKEN[0])
    return load_words(spoken, currency)


def _known(wish: str) -> str:
    """Return the language that is meant, such as `ru` by `ru_RU.UTF-8`; empty when it is none that is spoken here."""
    name = wish.strip().lower()[:2]
    return name if name in SPOKEN else ""
