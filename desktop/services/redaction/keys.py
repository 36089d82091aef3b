"""Keys: API keys, tokens, passwords and private keys, and the secrets inside URLs.

Known forms are keys wherever they stand. Anything else needs a word that says so (`password:`, `api_key=`, `token is`): a commit, a checksum or a
request's id looks just as random and is needed to understand a ticket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span

_SIGNS = (
    "sk-", "sk_", "pk_", "rk_", "whsec_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-", "AKIA", "ASIA", "AIza", "ya29.", "GOCSPX-",
    "npm_", "hf_", "SG.", "eyJ", "dop_v1_", "shpat_", "shpss_", "sq0", "key-", "lin_api_", "dckr_pat_", "pypi-", "EAAC", "AC", "-----BEGIN", "gsk_", "xai-",
)  # fmt: skip
_KNOWN = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----END)){0,20000}+(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?"
    r"|(?<![A-Za-z0-9_])(?:"
    r"eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"
    r"|sk-[A-Za-z0-9_\-]{16,}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}"
    r"|xox[abeprs]-[A-Za-z0-9\-]{8,}|xapp-[A-Za-z0-9\-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{12,20}|AIza[A-Za-z0-9_\-]{30,40}"
    r"|ya29\.[A-Za-z0-9_\-]{10,}|GOCSPX-[A-Za-z0-9_\-]{16,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{28,}|pypi-[A-Za-z0-9_\-]{30,}"
    r"|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|dop_v1_[a-f0-9]{40,}|shp(?:at|ss|ca|pa)_[A-Fa-f0-9]{24,}|sq0[a-z]{3}-[A-Za-z0-9_\-]{20,}"
    r"|key-[a-f0-9]{32}|lin_api_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_\-]{20,}|EAAC[A-Za-z0-9]{30,}|AC[a-f0-9]{32}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}"
    r")"
)

_CUES = frozenset(
    "password passwords passwd passwort kennwort passphrase pwd pw pass secret secrets token tokens apikey key keys schlüssel bearer basic credential credentials"
    " pin otp cvv cvc tan mdp passe clé contraseña clave senha chave wachtwoord sleutel hasło parola lösenord passord adgangskode salasana heslo"
    " jelszó şifre şifrem пароль пароля ключ κωδικός code codes סיסמה المرور".split()
)
_UNSPACED = re.compile("パスワード|暗証番号|認証コード|密码|密碼|口令|验证码|비밀번호|인증번호|암호")
_JOINED = re.compile(
    r"(?:[\"'”`*_]{0,3}\s?(?P<sign>[:=：]|=>|->)\s?|\s(?P<is>is|was|lautet|ist|est|es|é|è|to|jest|on|är|er|है|:)\s:?\s?|(?P<space>\s))"
    r"(?P<quote>[\"'“„«`]?)(?P<value>[^\s\"'“”„»`<>]{3,200}|(?<=[\"“„«`])[^\"”»`\n]{3,200})"
)
_OPENING = frozenset("is was not no and or the a an ist nicht est es é è".split())
_TRAILING = ",;:!?)]}。、，)"
_ENDS = ".…"
_NUMERIC = frozenset("pin otp cvv cvc tan code codes 暗証番号 認証コード 验证码 인증번호".split())
_WEAK = frozenset("code codes".split())
_OF_A_PERSON = re.compile(
    r"(?:verif\w*|security|one[- ]time|access|login|log-in|sign[- ]in|2fa|mfa|sms|auth\w*|confirm\w*|activation|recovery|backup|bestätigungs|sicherheits|zugangs|de\svérification|de\ssécurité|de\sverificación|di\sverifica)[\s-]?$",
    re.IGNORECASE,
)
_LOOK_BACK = 24
_DIGITS = re.compile(r"[0-9][0-9 \-]{2,10}[0-9]")
_RANDOM = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])[A-Za-z0-9+/=_\-.~]{12,}")
_AUTHORIZATION = frozenset(("bearer", "basic"))


def find_keys(reading: Reading) -> Iterator[Span]:
    """Yield keys and passwords."""
    text = reading.text
    if any(sign in text for sign in _SIGNS):
        for found in _KNOWN.finditer(text):
            yield Span(found.start(), found.end(), "key")
    known = reading.vocabulary & _CUES
    cues: list[tuple[int, int, str]] = [reading.word(at) for at, word in enumerate(reading.words) if word in known] if known else []
    if not text.isascii():
        cues += [(*found.span(), found[0]) for found in _UNSPACED.finditer(text)]
    for start, end, word in cues:
        span = _after(text, start, end, word)
        if span:
            yield span


def _after(text: str, cue: int, end: int, word: str) -> Span | None:
    """Return the secret that a word announces."""
    joined = _JOINED.match(text, end)
    if joined is None:
        return None
    start, value = joined.start("value"), joined["value"].rstrip(_TRAILING)
    if not joined["quote"]:
        value = value.rstrip(_ENDS) if len(value.rstrip(_ENDS)) > _SHORTEST else value
    is_weak = word in _WEAK and not _OF_A_PERSON.search(text, max(0, cue - _LOOK_BACK), cue)
    if is_weak or len(value) < _SHORTEST or value.lower() in _OPENING:
        return None
    if word in _NUMERIC:
        digits = _DIGITS.match(text, start)
        return Span(start, digits.end(), "key") if digits and not joined["space"] else None
    if word in _AUTHORIZATION:
        is_secret = len(value) >= _RANDOM_LENGTH
    elif joined["sign"]:
        is_secret = joined["sign"] == "=" or _looks_secret(value) or _ends_its_line(text, start + len(value))
    elif joined["is"]:
        is_secret = bool(joined["quote"]) or _looks_secret(value)
    else:
        is_secret = _RANDOM.fullmatch(value) is not None or (bool(joined["quote"]) and _looks_secret(value))
    return Span(start, start + len(value), "key") if is_secret else None


_SHORTEST = 3
_RANDOM_LENGTH = 12


def _looks_secret(value: str) -> bool:
    """Tell a password from a word: it has digits or signs in it, or changes its case inside."""
    if value.isdigit():
        return len(value) > _SHORTEST
    inner = value.strip("'’-.")
    return any(not character.isalpha() and character not in "'’-./" for character in inner) or (
        inner[1:] != inner[1:].lower() and inner != inner.upper()
    )


def _ends_its_line(text: str, end: int) -> bool:
    return text[end : end + 2].strip(" .,;\"'”") in ("", "\n") and (len(text) <= end + 1 or "\n" in text[end : end + 3])


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s<>\"'`”“，。）]{4,2000}")
_USER = re.compile(r"://([^/@?#\s]{1,200}:[^/@?#\s]{1,200}|[^/@?#\s:]{16,200})@")
_PARAMETER = re.compile(r"[?&#;]([A-Za-z0-9_.\-\[\]]{1,40})=([^&#;\s]{3,1000})")
_SECRET_PARAMETER = re.compile(
    r"^(?:key|sig|code|auth|sid|session|hash|jwt|otp|ticket|invite|nonce|hmac|pwd|pw|pass|access|apikey|k|t|uuid|secret)$"
    r"|token|secret|passw|signature|api[-_.]?key|credential|authorization|session[-_]?id|access[-_]?key|auth[-_]?key|(?:reset|invite|magic|confirm\w*|verif\w*|activation)[-_]?(?:code|key|hash|id)?$",
    re.IGNORECASE,
)
_SECRET_PATH = re.compile(
    r"/(?:reset|password[-_]?reset|reset[-_]?password|set[-_]?password|forgot|magic|magic[-_]?link|verify|verification|confirm|confirmation|activate|activation|invite|invitation|login"
    r"|signin|auth|unsubscribe|recover|recovery|token|share|hooks?|webhooks?|services|passwort|mot-de-passe|bestaetigen)(?:/[a-z\-]{2,16})?/((?=[^/?#\s]*[0-9])[A-Za-z0-9_\-.~=]{10,}"
    r"|[A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[A-Za-z0-9]{16,})",
    re.IGNORECASE,
)


def find_url_secrets(text: str) -> Iterator[Span]:
    """Yield what in URLs lets whoever has it in: user and password, tokens and signatures, the end of a reset link."""
    if "://" not in text:
        return
    for found in _URL.finditer(text):
        url, start = found[0].rstrip(".,;:!?)]}*"), found.start()
        user = _USER.search(url)
        if user:
            yield Span(start + user.start(1), start + user.end(1), "url")
        for parameter in _PARAMETER.finditer(url):
            if _SECRET_PARAMETER.search(parameter[1]):
                yield Span(start + parameter.start(2), start + parameter.end(2), "url")
        for path in _SECRET_PATH.finditer(url):
            yield Span(start + path.start(1), start + path.end(1), "url")
