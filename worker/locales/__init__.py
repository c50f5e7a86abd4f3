"""Catalogues of the worker's sentences: gettext `.po` files, read as they are when the program starts."""

from __future__ import annotations

import gettext
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from worker.domain.words import Words


@lru_cache
def load_words(locale: str, currency: str) -> Words:
    """Return the voice of a locale; message ids are English, so that English needs no catalogue."""
    path = files(__name__) / f"{locale}.po"
    if not path.is_file():
        return Words(locale, currency)
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Words(locale, currency, gettext.GNUTranslations(compiled))
