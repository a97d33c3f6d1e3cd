"""Characters that are not seen in an editor, and that YAML takes for letters."""

from __future__ import annotations

import unicodedata


def _is_invisible(character: str) -> bool:
    return character != " " and unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf", "Cc")


def named(character: str) -> str:
    """The character in words: ``a no-break space (U+00A0)``."""
    return f"a {unicodedata.name(character, 'control character').lower()} (U+{ord(character):04X})"


def first_in(text: str) -> str | None:
    """The first invisible character of a text; ``None`` if it holds none."""
    return next((character for character in text if _is_invisible(character)), None)


def around(text: str) -> str:
    """``begins with ...`` or ``ends with ...`` for a text with an invisible character there; else empty."""
    for verb, character in (("begins", text[:1]), ("ends", text[-1:])):
        if character and _is_invisible(character):
            return f"{verb} with {named(character)}"
    return ""


def without(text: str) -> str:
    """The text with spaces in place of invisible characters that have a width, and without the others."""
    kept = (" " if unicodedata.category(each) == "Zs" else each for each in text)
    return "".join(each for each in kept if not _is_invisible(each)).strip()
