"""Sentences in the tests' language."""

from __future__ import annotations

from worker.domain.messages import ENGLISH, Text, render


def english(text: Text) -> str:
    """Return a sentence as an English workspace reads it."""
    return render(text, ENGLISH)
