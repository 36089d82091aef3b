"""Names of languages, as people say them: Qt knows them all."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QLocale


@cache
def language_name(code: str) -> str:
    """Return the English name of a language by its ISO 639-1 code; the code itself where there is none, '' for ''."""
    language = QLocale.codeToLanguage(code)
    if language in (QLocale.Language.AnyLanguage, QLocale.Language.C):
        return code
    # Qt tells the written forms of Norwegian apart and calls them so; a detector does not.
    return "Norwegian" if code == "no" else QLocale.languageToString(language)
