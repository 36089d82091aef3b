"""Keys: API keys, tokens, passwords, PINs and private keys. Those inside URLs are told apart in `urls`.

Known forms are keys wherever they stand. Anything else needs a word that says so (`password:`, `api_key=`, `token is`): a commit, a checksum or a
request's id looks just as random and is needed to understand a ticket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span

_SIGNS = (
    "sk-", "sk_", "pk_", "rk_", "whsec_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-", "AKIA",
    "ASIA", "AIza", "ya29.", "GOCSPX-",
    "npm_", "hf_", "SG.", "eyJ", "dop_v1_", "shpat_", "shpss_", "sq0", "key-", "lin_api_", "dckr_pat_", "pypi-", "EAAC", "AC",
    "-----BEGIN", ":AA", "gsk_", "xai-",
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
    r"|[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}"
    r"|key-[a-f0-9]{32}|lin_api_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_\-]{20,}|EAAC[A-Za-z0-9]{30,}|AC[a-f0-9]{32}|gsk_[A-Za-z0-9]{20,}"
    r"|xai-[A-Za-z0-9]{20,}"
    r")"
)

_CUES = frozenset(
    "password passwords passwd passwort kennwort passphrase pwd pw pass secret secrets token tokens apikey key keys schlüssel bearer"
    " basic credential credentials"
    " pin otp cvv cvc tan mdp passe clé contraseña clave senha chave wachtwoord sleutel hasło parola lösenord passord adgangskode salasana heslo"
    " jelszó şifre şifrem пароль пароля ключ κωδικός code codes código codigo codice kod סיסמה المرور sid sessid sessionid jsessionid phpsessid"
    " cookie password's passwords' passcode pincode"
    " sicherheitscode bestätigungscode zugangscode verifizierungscode aktivierungscode freischaltcode license licence"
    " lizenz lizenzschlüssel licencia licenza licença".split()
)
_UNSPACED = re.compile("パスワード|暗証番号|認証コード|密码|密碼|口令|验证码|비밀번호|인증번호|암호")
_CUE_ENDS = (
    "token",
    "secret",
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "apikey",
    "schlüssel",
    "passphrase",
    "accesskey",
    "accountkey",
    "privatekey",
    "secretkey",
    "wachtwoord",
)
"""How names in programs and German words end: `accessToken`, *WLAN-Passwort*."""
_JOINED = re.compile(
    r"(?:[_\-](?=[\w\-]{1,16}\s?[:=])[\w\-]{1,16}|\s(?:code|number|nummer|value|string|nr\.?|api|d['’]api|secrète|privée|secreta|privada|segreta|de\sapi|(?:for|to|of|für|zu|zum|pour|para|per|voor"
    r"|do|de)\s[^\n:=.!?]{1,30}?(?=\s(?:is|was|ist|est|es|é|è)\s|\s?[:=])))?"
    r"(?:[\"'”`*_]{0,3}\s?(?P<sign>=>|->|→|[:=：]|是|は)\s?|\s(?P<is>is|was|lautet|ist|est|es|é|è|to|auf|jest|on|är|er|wurde)(?:\snow"
    r"|\sjetzt)?(?:\s?:)?\s|(?P<space>\s))"
    r"(?P<quote>[\"'“„«`]?)(?P<value>(?<=[\"“„«`])[^\"”“»`\n]{3,200}(?=[\"”“»`])|[^\s\"'“”„»`<>]{2,200})",
    re.IGNORECASE,
)
_NEXT_SETTING = re.compile(r"[;&](?=[A-Za-z][\w ]*=)|;$")
_PAIR = re.compile(r"\s?/\s?[^\s,;]{3,60}")
_OPTION = re.compile(r"--?$")
_CURL_USER = re.compile(
    r"(?<=\s-u\s)[\"']?[^\s:\"']{1,60}:[^\s\"']{3,100}|(?<=--user\s)[\"']?[^\s:\"']{1,60}:[^\s\"']{3,100}"
)
_NO_SECRET = re.compile(r"[$%{(\[].*|(.)\1*|\.{2,}.*|[xX*•.…\-]+|[A-Z_]{2,40}|.*\.\.\.", re.DOTALL)
"""What stands for a secret in instructions: `$TOKEN`, `***`, `...`, `TEXT`."""
_VALUES = frozenset(
    "none null true false undefined nil yes no string str int bool text value required optional missing expired invalid".split()
)
_PASSWORDS = frozenset(
    "password passwords passwd passwort kennwort passphrase pwd pw pass secret mdp passe contraseña senha wachtwoord hasło parola"
    " lösenord passord adgangskode salasana heslo"
    " jelszó şifre şifrem пароль пароля κωδικός סיסמה المرور パスワード 密码 密碼 口令 비밀번호 암호".split()
)
"""After these a plain word may be the secret; a key or token looks like none."""
_OPENING = frozenset("is was not no and or the a an ist nicht est es é è".split())
_TRAILING = ",;:!?)]}。、，)"
_ENDS = ".…"
_LICENSES = frozenset("license licence lizenz licencia licenza licença".split())
_GROUPS = re.compile(r"(?=\S*[0-9])[A-Za-z0-9]{3,8}(?:-[A-Za-z0-9]{3,8}){2,8}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMERIC = frozenset(
    "sicherheitscode bestätigungscode zugangscode verifizierungscode aktivierungscode freischaltcode passcode pincode pin"
    " otp cvv cvc tan code codes código codigo codice kod 暗証番号 認証コード 验证码 인증번호".split()
)
_WEAK = frozenset("code codes código codigo codice kod".split())
_OF_SECURITY = re.compile(
    r"\s(?:de|di|d['’])\s?(?:la\s)?(?:vérification|sécurité|confirmation|connexion|validation|activation|seguridad|verificación|confirmación|acceso|verifica|sicurezza|conferma"
    r"|accesso|segurança|verificação|confirmação|acesso)",
    re.IGNORECASE,
)
_OF_A_PERSON = re.compile(
    r"(?:verif\w*|security|one[- ]time|access|login|log-in|sign[- ]in|2fa|mfa|sms|auth\w*|confirm\w*|activation|recovery|backup"
    r"|bestätigungs|sicherheits|zugangs|de\svérification|de\ssécurité|de\sverificación|di\sverifica)[\s-]?$",
    re.IGNORECASE,
)
_TO_LOG_IN = re.compile(r"[0-9]{4,8}\s(?:to|for|um|zum)\s(?:\w+\s){0,2}(?:verif|log|sign|confirm|anmeld|bestätig)")
_LOOK_BACK = 24
_DIGITS = re.compile(r"[0-9][0-9 \-]{1,10}[0-9](?![\w])")
_LONG_RANDOM = re.compile(
    r"(?<![A-Za-z0-9+/=_.:\-])(?=[^\s]{0,60}[0-9])(?=[^\s]{0,60}[A-Z])(?=[^\s]{0,60}[a-z])[A-Za-z0-9+/_\-]{28,120}={0,2}(?![A-Za-z0-9+/_.:\-])"
)
_RANDOM_CODE = re.compile(r"(?=\S*[0-9])(?=\S*[A-Z])[A-Z0-9\-]{5,24}")
_RANDOM = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])[A-Za-z0-9+/=_\-.~]{12,}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/=\-]{12,}")
_NAMED = re.compile(r"(?<![A-Za-z0-9])(?![a-f]+(?![A-Za-z0-9]))[a-z]{4,}(?![A-Za-z0-9])")
_AUTHORIZATION = frozenset(("bearer", "basic"))


def find_keys(reading: Reading) -> Iterator[Span]:
    """Yield keys and passwords."""
    text = reading.text
    if any(sign in text for sign in _SIGNS):
        for found in _KNOWN.finditer(text):
            yield Span(found.start(), found.end(), "key")
    known = {word for word in reading.vocabulary if word in _CUES or word.endswith(_CUE_ENDS)}
    if "curl" in reading.vocabulary:
        for found in _CURL_USER.finditer(text):
            yield Span(found.start(), found.end(), "key")
    cues: list[tuple[int, int, str]] = (
        [reading.word(at) for at, word in enumerate(reading.words) if word in known] if known else []
    )
    if known or any(sign in text for sign in ("AKIA", "ASIA")):
        yield from _random_beside(text, [start for start, *_ in cues])
    if not text.isascii():
        cues += [(*found.span(), found[0]) for found in _UNSPACED.finditer(text)]
    for start, end, word in cues:
        span = _after(text, start, end, word)
        if span:
            yield span


def _random_beside(text: str, cues: Sequence[int]) -> Iterator[Span]:
    """Yield long disorder on lines that speak of keys, wherever it stands there: *keys leaked: … / …*."""
    spoken = {text.count("\n", 0, cue) for cue in cues}
    for found in _LONG_RANDOM.finditer(text):
        if text.count("\n", 0, found.start()) in spoken or "AKIA" in text:
            yield Span(found.start(), found.end(), "key")


def _after(text: str, cue: int, end: int, word: str) -> Span | None:
    """Return the secret that a word announces."""
    security = _OF_SECURITY.match(text, end) if word in _WEAK else None
    joined = _JOINED.match(text, security.end() if security else end)
    if joined is None:
        return None
    start, value = joined.start("value"), _without_signs(joined)
    is_weak = word in _WEAK and not (
        security or _OF_A_PERSON.search(text, max(0, cue - _LOOK_BACK), cue) or _TO_LOG_IN.match(text, start)
    )
    if word in _NUMERIC and not is_weak:
        return _number(text, start, value, joined)
    end = start + len(value)
    if is_weak or _is_no_secret(value) or not _is_secret(text, value, joined, word=word.removesuffix("'s"), cue=cue):
        return None
    pair = _PAIR.match(text, end) if text[cue - 1 : cue] == "/" else None
    return Span(start, pair.end() if pair else end, "key")


def _without_signs(joined: re.Match[str]) -> str:
    """Return the value without what closes its sentence, and without the next setting of a connection string."""
    value = joined["value"].rstrip(_TRAILING)
    if joined["quote"]:
        return value
    value = _NEXT_SETTING.split(value)[0]
    return value.rstrip(_ENDS) if len(value.rstrip(_ENDS)) > _SHORTEST else value


def _is_no_secret(value: str) -> bool:
    lower = value.lower()
    return len(value) < _SHORTEST or lower in _OPENING or lower in _VALUES or _NO_SECRET.fullmatch(value) is not None


def _is_secret(text: str, value: str, joined: re.Match[str], *, word: str, cue: int) -> bool:
    if word in _LICENSES:
        return _GROUPS.fullmatch(value) is not None
    if word in _AUTHORIZATION:
        return _CREDENTIAL.fullmatch(value) is not None and _looks_secret(value)
    if word in _PASSWORDS or word.endswith(_PASSWORD_ENDS):
        return _is_password(text, value, joined, cue=cue, end=joined.start("value") + len(value))
    return (bool(joined["sign"] or joined["is"]) and _looks_like_key(value)) or _is_random(value)


def _is_password(text: str, value: str, joined: re.Match[str], *, cue: int, end: int) -> bool:
    if joined["sign"]:
        return joined["sign"] == "=" or _looks_secret(value) or _ends_its_line(text, end)
    if joined["is"]:
        return bool(joined["quote"]) or _looks_secret(value)
    if text[cue:end].lower().startswith("pass "):
        return False
    if _OPTION.search(text, max(0, cue - _LOOK_BACK), cue):
        return True
    is_mixed = (
        len(value) >= _SHORTEST_KEY
        and any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
        and _looks_secret(value)
    )
    return is_mixed or (
        bool(joined["quote"]) and (_looks_secret(value) or text[cue:end].lower().startswith("passphrase"))
    )


def _is_random(value: str) -> bool:
    """Tell letters and digits in disorder from a name: `gpt-3.5-turbo` has a word in it."""
    return _UUID.fullmatch(value) is not None or (_RANDOM.fullmatch(value) is not None and not _NAMED.search(value))


def _looks_like_key(value: str) -> bool:
    """Tell a key from a word or a count: digits among letters, or long and with changing case."""
    if value.isdigit():
        return len(value) > _LONGEST_COUNT
    has_digit = any(character.isdigit() for character in value)
    return (
        len(value) >= _SHORTEST_KEY
        and (has_digit or (len(value) > _LONG_KEY and _looks_secret(value)))
        and _KEY_SIGNS.fullmatch(value) is not None
    )


_LONGEST_COUNT = 7
_SHORTEST_KEY = 6
_LONG_KEY = 16
_KEY_SIGNS = re.compile(r"[A-Za-z0-9+/=_\-.~!@#$%^&*:|]+")
_PASSWORD_ENDS = ("password", "passwd", "passwort", "kennwort", "passphrase", "wachtwoord", "secret")


def _number(text: str, start: int, value: str, joined: re.Match[str]) -> Span | None:
    """Return a PIN, a one-time code or the like."""
    digits = _DIGITS.match(text, start)
    if digits:
        return Span(start, digits.end(), "key")
    is_mixed = not joined["space"] and (_RANDOM_CODE.fullmatch(value) or _GROUPS.fullmatch(value)) is not None
    return Span(start, start + len(value), "key") if is_mixed else None


_SHORTEST = 3


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
