"""Words: how highlights and evidence see a text: tokens, stems and lists of words that carry no content.

English has stems and full lists; German, French, Spanish, Italian, Dutch and Portuguese only their most frequent words, so that those do not count
as content. Chinese, Japanese and Korean runs become pairs of characters. Nothing here decides what matters: that is its callers' part.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Protocol, cast

import snowballstemmer

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_APOSTROPHE = str.maketrans({"’": "'"})

STOP_WORDS_BY_LANGUAGE = {
    "en": frozenset(
        "a about after again all also am an and any are aren't as at be because been before being both but by can can't could couldn't"
        " did didn't do"
        " does doesn't doing don't down during each else ever few for from further get gets getting got had hadn't has hasn't have haven't having"
        " he he'll he's her here here's hers herself him himself his how i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just"
        " let let's like may me might more most much must my myself no nor not now of off on once one only or other our ours ourselves out over own"
        " please same shall she she's should shouldn't since so some such than that that's the their theirs them themselves then"
        " there there's these"
        " they they'd they'll they're they've this those through to too under until up upon us very via was wasn't we we'd we'll we're we've were"
        " weren't what what's when where which while who who's whom why will with within without won't would wouldn't yet you you'd you'll you're"
        " you've your yours yourself hi hello hey dear thanks thank ok okay yes yeah really still even though already however been im ive dont cant"
        " didnt doesnt isnt wont u ur pls plz am pm".split()
    ),
    "de": frozenset(
        "aber alle als also am an auch auf aus bei beim bin bis bitte da damit dann das dass dem den denn der des die dies diese"
        " diesem diesen dieser"
        " doch dort du durch ein eine einem einen einer eines er es etwas euch für gegen habe haben hat hatte hier hätte ich ihm ihn ihnen ihr ihre"
        " ihrem ihren im in ist ja jetzt kann kein keine können könnte man mein meine meinem meinen mich mir mit muss nach nicht noch nun"
        " nur ob oder"
        " ohne schon sehr sein seine seit sich sie sind so soll sowie um und uns unser unsere unserem unseren unter vom von vor war waren was wegen"
        " weil wenn werden wie wir wird wo wurde wurden zu zum zur über hallo danke dank sehr geehrte guten tag morgen vielen".split()
    ),
    "fr": frozenset(
        "ai au aussi aux avec avez avons bonjour c'est ce ces cet cette comme dans de des donc du elle elles en est et eu fait il ils j'ai"
        " je jusqu la"
        " le les leur lui ma mais me merci mes moi mon même n'est ne nos notre nous on ont ou où par pas plus pour pouvez pouvons qu'il que qui sa"
        " sans se ses si son sont sur ta te tes ton tu un une vos votre vous était été être".split()
    ),
    "es": frozenset(
        "a al algo antes como con cuando de del desde donde el ella ellos en entre era es esa ese eso esta estaba estamos estas este"
        " esto estos está"
        " están fue gracias ha hace han hasta hay he hola la las le les lo los me mi mis muy más necesito no nos nosotros o para pero"
        " por porque puede"
        " que qué se ser si sin sobre son su sus sí también te tiene todo tu un una uno usted y ya yo".split()
    ),
    "it": frozenset(
        "a abbiamo ai al alla alle anche buongiorno che chi ci ciao come con cosa cui da dal dalla dei del della delle di dove e ed era"
        " gli grazie ha"
        " hanno ho i il in io la le lei lo loro lui ma mi mia mio ne nel nella noi non nostro o per perché più però quando questa questo se sei si"
        " sono su sua suo sul sulla ti tu un una uno vi voi è".split()
    ),
    "nl": frozenset(
        "aan al alle als bij dan dat de deze die dit doen door een en er geen goed graag had hallo hebben heb heeft het hij hoe ik in is ja"
        " je jij kan"
        " kunnen maar me meer met mij mijn moet naar niet nog nu of om onze ook op over te tot u uit uw van veel voor waar was wat we wel werd wij"
        " wordt worden ze zich zij zijn zo zou bedankt".split()
    ),
    "pt": frozenset(
        "a ao aos as até com como da das de dela dele do dos e ela ele em entre era essa esse esta este eu foi há isso isto já lhe mais mas me meu"
        " minha muito na nas nem no nos não nós o obrigado obrigada olá os ou para pela pelo por porque quando que quem se sem ser seu sua são só"
        " também te tem um uma você à é".split()
    ),
}
STOP_WORDS = frozenset().union(*STOP_WORDS_BY_LANGUAGE.values())

REPORTING_WORDS = frozenset(
    "ask asks asked asking say says said saying tell tells told inform informs informed informing report reports reported reporting state states"
    " stated mention mentions mentioned mentioning explain explains explained explaining confirm confirms confirmed confirming"
    " reply replies replied"
    " replying respond responds responded answer answers answered answering write writes wrote writing written note notes noted"
    " claim claims claimed"
    " advise advises advised suggest suggests suggested request requests requested requesting want wants wanted wanting need needs needed needing"
    " wish wishes wished let lets know knows known describe describes described add adds added according regarding whether currently".split()
)
ROLE_WORDS = frozenset(
    "customer customers client clients user users agent agents support team requester staff representative rep person someone"
    " somebody anyone caller"
    " reporter author ticket tickets thread message messages company kunde kundin kunden support-team agentin client cliente clienti klant".split()
)


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


class _PerThread(threading.local):
    """A stemmer keeps the word it works on, so each thread has its own."""

    def __init__(self) -> None:
        self.stemmer = cast(_Stemmer, snowballstemmer.stemmer("english"))


_per_thread = _PerThread()


def tokenize(text: str) -> list[str]:
    """Return the words of a text in their own case; apostrophes inside a word are straightened."""
    return _TOKEN.findall(text.translate(_APOSTROPHE))


def count_words(text: str) -> int:
    """Count the words of a text; two CJK characters count as one."""
    return len(_TOKEN.findall(text)) if text.isascii() else sum(_weigh(token) for token in _TOKEN.findall(text))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the English stem of a lower-case word; a possessive `'s` is dropped."""
    if word.endswith("'s"):
        word = word[:-2]
    return _per_thread.stemmer.stemWord(word) if len(word) <= 40 else word[:40]


def content_words(text: str) -> list[str]:
    """Return the lower-case words that are no stop words, in order, CJK runs as pairs of characters."""
    words: list[str] = []
    for token in tokenize(text):
        lower = token.lower()
        if lower.isascii() or not _CJK.search(lower):
            if lower not in STOP_WORDS and (len(lower) > 1 or lower.isdigit()):
                words.append(lower)
        else:
            words += _character_pairs(lower)
    return words


def _weigh(token: str) -> int:
    return max(1, sum(len(run) for run in _CJK.findall(token)) // 2)


def _character_pairs(run: str) -> list[str]:
    pairs: list[str] = []
    for piece in _CJK.findall(run):
        pairs += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
    return pairs + [rest for rest in _CJK.sub(" ", run).split() if rest not in STOP_WORDS]
