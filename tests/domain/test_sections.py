"""Sections: whatever a settings file holds, every standard section is there once, in the user's order and under the user's labels."""

from __future__ import annotations

from desktop.domain.sections import NEXT_STEP, STANDARD_SECTIONS, SectionChoice, choose_sections


def test_what_is_no_section_is_passed_over() -> None:
    stored = [
        "x",
        5,
        None,
        ["name", NEXT_STEP],
        {"name": ["Problem"]},
        {"name": "Weather"},
        {"name": NEXT_STEP, "label": "  To\n do ", "is_on": False},
        {"name": NEXT_STEP, "label": "Again"},
    ]
    first, *others = choose_sections(stored)
    assert first == SectionChoice(NEXT_STEP, "To do", is_on=False)
    assert others == [SectionChoice(name, name) for name in STANDARD_SECTIONS if name != NEXT_STEP]
