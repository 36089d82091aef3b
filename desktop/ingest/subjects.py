"""Subjects: one line that says what a text is about, where an export has no column for it."""

from __future__ import annotations

import re

SUBJECT_CHARACTERS = 80
_SUBJECT_SOURCE_CHARACTERS = 2_000
_HANDLES = re.compile(r"(?:\s*[.,:]*@\w+[\s,:;.!]*)+")


def subject_from(text: str) -> str:
    """Return the first telling sentence of a text, without the @handles it begins with, at most 80 characters."""
    text = one_line(text[:_SUBJECT_SOURCE_CHARACTERS])
    rest = _HANDLES.sub("", text, count=1) if _HANDLES.match(text) else text
    text = rest or text
    end = 0
    for match in re.finditer(r"[.!?…]+(?=\s|$)", text):
        end = match.end()
        if end >= 20:  # “Hi there.” says nothing: the next sentence belongs to it
            break
    subject = text[:end] if end >= 20 else text
    subject = subject[:-1] if subject.endswith(".") and not subject.endswith("..") else subject
    if len(subject) <= SUBJECT_CHARACTERS:
        return subject
    cut = subject[: SUBJECT_CHARACTERS - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[40:] else cut).rstrip(" ,;:-") + "…"


def one_line(text: str) -> str:
    """Return a text with every run of white space as one blank."""
    return " ".join(text.split()) if "\n" in text or "  " in text or "\t" in text else text
