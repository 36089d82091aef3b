"""Patterns of facts: how links, dates, times, ids, amounts and numbers are written, and the words for numbers, days, months and currencies.

Whoever writes a ticket or a summary must not be able to hold up its reader: every pattern takes time in proportion to a text, whatever stands in it.
Hence `++` and `{1,64}+`, which never give back what they took, and an upper limit on whatever may begin at every character. A run longer than its
limit is no fact. What a match means is the part of `facts`.
"""

from __future__ import annotations

import re

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero",
            "february feb februar février febrero",
            "march mar märz mars marzo",
            "april apr avril abril",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet julio",
            "august aug août agosto",
            "september sept sep septembre septiembre",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        "monday montag|tuesday dienstag|wednesday mittwoch|thursday donnerstag|friday freitag|saturday samstag|sunday sonntag".split(
            "|"
        )
    )
    for name in names.split()
}
RELATIVE_DAYS = {"today": 0, "tonight": 0, "heute": 0, "yesterday": -1, "gestern": -1, "tomorrow": 1}
NUMBER_WORDS = {
    word: number
    for number, words in {
        **dict(
            enumerate(
                (
                    "zero|one|two both twice|three|four|five|six|seven|eight|nine|ten|eleven|twelve dozen"
                    "|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
                ).split("|")
            )
        ),
        20: "twenty",
        30: "thirty",
        40: "forty",
        50: "fifty",
        60: "sixty",
        70: "seventy",
        80: "eighty",
        90: "ninety",
        100: "hundred",
        1000: "thousand",
    }.items()
    for word in words.split()
}
CURRENCIES = {
    word: code
    for code, words in {
        "usd": "$ usd dollars dollar",
        "eur": "€ eur euros euro",
        "gbp": "£ gbp pounds pound",
        "jpy": "¥ jpy",
        "inr": "₹ inr",
        **{code: code for code in "chf aud cad pln czk dkk sek nok".split()},
    }.items()
    for word in words.split()
}

_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_DIGITS = r"\d{1,32}+(?:[.,'’\u00a0\u202f]\d{3}){0,10}(?:[.,]\d{1,32}+)?"
_SIGN = r"[$€£¥₹]"
_CODE = r"(?:USD|EUR|GBP|JPY|CHF|INR|NOK|SEK|DKK|CZK|PLN|CAD|AUD|dollars?|euros?|pounds?)\b"

URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|"
    r"\b[a-z0-9-]{1,63}+(?:\.[a-z0-9-]{1,63}+){0,8}\.(?:com|org|net|io|example|co|de|app|dev)/[^\s<>\"')\]]+",
    re.I,
)
EMAIL = re.compile(r"[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)+")
ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
NUMERIC_DATE = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d./-]*\d)")
DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?\s++(?:of\s++|de\s++)?({_MONTH})(?:,?\s++(\d{{4}})\b)?", re.I)
DAYS_MONTH = re.compile(rf"\b(\d{{1,2}})\s?[-–/]\s?(?=\d{{1,2}}\.?\s++{_MONTH})", re.I)
RANGE_MONTH = re.compile(rf"\s*+\d{{1,2}}\.?\s++({_MONTH})", re.I)
ORDINAL_DAY = re.compile(
    r"\b(?:the|am|le|el|il|den)\s++(\d{1,2})(?:st|nd|rd|th|\.)(?!\s*+(?:floor|street|time|try|attempt|avenue|place|\d))",
    re.I,
)
MONTH_DAY = re.compile(rf"\b({_MONTH})\s++(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s++(\d{{4}})\b)?", re.I)
TIME = re.compile(
    r"(?<![\d:.])(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([ap])\.?m\b\.?)?(?![\d:])|\b(\d{1,2})\s?([ap])\.?m\b\.?", re.I
)
PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\(?\d(?:[\s().-]{0,2}\d){8,14}(?!\w)")
ID = re.compile(
    r"#\d++\b"
    r"|(?<![\w.,])(?=[^\W_])(?=[\w/-]{0,63}\d[\w/-]{0,63}\d)(?=[\w/-]{0,63}[^\W\d_])[^\W_]\w*+(?:[-/][^\W_]\w*+)*\b"
    r"|(?<![\w.,])\d{7,}(?![\w.,]\d)"
    r"|(?<![\w.,])\d{2,}(?:-\d{2,})+(?![\w.,]?\d)"
)
AMOUNT = re.compile(
    rf"({_SIGN})\s?({_DIGITS})(\s?[kKmM]\b)?|(?<!\d)({_DIGITS})(\s?[kKmM])?\s?({_SIGN}|{_CODE})|\b({_CODE})\s?({_DIGITS})(?!\w)",
    re.I,
)
PERCENT = re.compile(rf"(?<!\d)({_DIGITS})\s?(?:%|percent\b|per cent\b|prozent\b)", re.I)
VERSION = re.compile(r"\bv?(\d++(?:\.\d++){2,})\b", re.I)
_UNIT = r"(?:st|nd|rd|th|m|h|hrs?|mins?|s|secs?|ms|[kmgt]i?b|px|x|d|days?|w|hours?|kg|g|km|cm|mm)"
NUMBER = re.compile(rf"(?<![\w.,])[-+]?({_DIGITS})(\s?k\b|{_UNIT}\b)?(?!\w)", re.I)
NUMBER_AND_WORD = re.compile(
    r"(\d+)-(?:minute|hour|day|week|month|year|fold|piece|seat|person|inch|page|digit)s?", re.I
)
WORD = re.compile(r"[^\W\d_]+")
NUMBER_WITH_UNIT = re.compile(rf"\d+(?:k|{_UNIT})", re.I)
SMALL_RANGE = re.compile(r"\d{2,3}-\d{2,3}")
