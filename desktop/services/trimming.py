"""Trimming: what a highlight leaves off a sentence's ends, and which sentences are only courtesy.

Handles, greetings and fillers in front, URLs, thanks and an agent's initials at the back: the rest is still one contiguous span. The lists are
English, with the most frequent phrases of German, French, Spanish, Italian, Dutch and Portuguese; a text in another language keeps its greetings, and
nothing worse happens. It never looks inside a sentence.
"""

from __future__ import annotations

import re

from desktop.services.words import count_words

_PASSES = 4
_SHORTEST_REST = 8
_LONGEST_WORDS = 60
_CUT_AT_WORDS = 40
_LONGEST_GREETING = 300

_HANDLES = re.compile(r"(?:[.,]?@\w+[:,]?\s*)+")
_FRONT = (
    re.compile(r"[\s>*•–—·,;:!-]+(?=\S)"),
    re.compile(r"\(?\d{1,2}[.)]\s+|\(?[1-9]\s?/\s?[1-9]\)?\s+(?=[A-ZÀ-Þ])"),
    _HANDLES,
    re.compile(
        r"(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day)|greetings|morning"
        r"|hallo|moin|guten (?:tag|morgen|abend)|sehr geehrter?|liebe[rs]?"
        r"|bonjour|bonsoir|salut|cher|chère|hola|buen[oa]s (?:días|tardes|noches)"
        r"|estimad[oa]s?|ciao|buongiorno|buonasera|gentile|salve|goede(?:morgen|middag|navond)"
        r"|beste|geachte|olá|bom dia|boa (?:tarde|noite)|prezad[oa]s?)"
        r"(?:\s+(?:there|all|team|everyone|support|sir|madam|folks|guys|again|quick (?:one|question)"
        r"|zusammen|herr|frau|damen|und|herren|monsieur|madame|à tous"
        r"|señora?|signora?|heer|mevrouw|a todos|or|&))*"
        # A name written small is one word: "hi my order is late, and …" is no greeting to its comma.
        r"(?:(?-i:,?(?:\s+@?[A-ZÀ-Þ][\w’'.-]*){1,3})|\s+@?[\w’'-]+)?\s*(?:[,!:–—-]+|\.(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:well|oh|ah|ok|okay|yes|yeah|yep|no|nope|sure|so|right|actually"
        r"|sorry|of course|great|perfect|excellent|thanks|thank you(?: so much)?"
        r"|many thanks|hmm|um|uh|alright|fine|certainly|absolutely|understood"
        r"|got it|i see|no problem|please|anyway|honestly|basically"
        r"|thanks? (?:you )?(?:so much )?for (?:reaching out|letting us know|getting (?:in touch|back to us)|contacting us|checking"
        r"|the (?:update|info)|your (?:message|reply|patience))"
        r"|désolée?s?|ja|nein|doch|gut|danke|vielen dank|oui|non|d'accord|parfait"
        r"|merci|sí|vale|perfecto|gracias|sì|perfetto|grazie|nee|prima|bedankt"
        r"|sim|não|certo|obrigad[oa])"
        r"\s*(?:[,;:–—]|[.!…]+(?=\s)|-+(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(r"(?:and|but|so|then|also)\s+(?=\S)", re.IGNORECASE),
)
_BACK = (
    re.compile(r"(?:https?://|www\.)\S+\s*$"),
    re.compile(r"\s+(?:\^\s?[A-Za-z]{1,8}|/\s?[A-Z]{2,3}|/[a-z]{2}|[-–][A-Z][A-Za-z]?|\*[A-Z]{2,3})\s*$"),
    re.compile(r"\s+\(?[1-9]\s?/\s?[1-9]\)?\s*$"),
    re.compile(
        r"[,;–—]\s*(?:many thanks|thanks|thank you|thx|cheers|vielen dank|danke|merci|(?:muchas )?gracias|grazie|bedankt|obrigad[oa])"
        r"(?:\s+[^\W\d_]+){0,3}\s*[.!]*\s*$",
        re.IGNORECASE,
    ),
    re.compile(r"[\s*_]+$"),
)
_LOOSE_END = ",;:–—([<{"
_ADDRESS = re.compile(r"(?:\W*[@#]\w+|\W*(?:https?://|www\.)\S+|\W*+[^\s@]+@[^\s@]+\.\w+)\W*")
_MARKUP = re.compile(
    r"(?:\s*(?:\{[^{}\s]{1,40}\}|</?[A-Za-z!][^<>]*>|![^\s!|]+\.\w{2,4}(?:\|[^\s!]*)?!|\[(?:image|cid|attachment|screenshot)\b[^\[\]]{0,80}\]))+\s*",
    re.IGNORECASE,
)
_CUT = re.compile(r"(?<=[,;:–—)])\s")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_GREETING = re.compile(
    r"\b(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank|thx|cheers|welcome|bye|goodbye|regards|appreciate[ds]?|greetings|ok|okay"
    r"|great|perfect|awesome|hallo|moin|guten (?:tag|morgen|abend)|danke|bonjour"
    r"|bonsoir|salut|merci|parfait|hola|buen[oa]s (?:días|tardes)|gracias"
    r"|perfecto|buongiorno|buonasera|grazie|perfetto|goede(?:morgen|middag)"
    r"|bedankt|dank je|bom dia|boa tarde|obrigad[oa])\b",
    re.IGNORECASE,
)
_ONLY_GREETING = re.compile(
    r"\W*(?i:hi|hello|hey|hiya|dear|(?:good )?(?:morning|afternoon|evening|day)|greetings|thanks|thank you|thx|cheers|bye|goodbye"
    r"|(?:best|kind) regards|regards|to whom it may concern|hallo|moin"
    r"|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|liebe[rs]?|(?:vielen |super )?danke"
    r"|(?:viele|liebe|beste) grüße|bonjour|bonsoir|salut|merci|cordialement"
    r"|hola|estimad[oa]s?|buen[oa]s (?:días|tardes|noches)|(?:muchas )?gracias"
    r"|(?:un )?saludos?|ciao|buongiorno|buonasera|gentile|grazie(?: mille)?"
    r"|beste|geachte|goede(?:morgen|middag|navond)|bedankt|olá|bom dia"
    r"|boa (?:tarde|noite)|prezad[oa]s?|obrigad[oa])"
    r"(?:[\s,]+(?:(?i:there|all|team|everyone|again|so much|very much|a lot|in advance|support|sir|madam|or|zusammen|herr|frau|damen|und|herren|dir"
    r"|ihnen|monsieur|madame|beaucoup|señora?|mille|heer|mevrouw)|@?[A-ZÀ-Þ][\w’'.-]*))*\W*"
)
_COURTESY = re.compile(
    r"anything else|feel free|happy to (?:help|assist)|glad to (?:help|assist|hear)"
    r"|here to help|(?:have|enjoy) (?:a|the rest|your)\b.{0,20}"
    r"(?:day|evening|weekend|week|one|night)|thanks? (?:you )?(?:so much "
    r"|very much )?for|let (?:us|me) know if|don'?t hesitate|do not hesitate"
    r"|you'?re (?:most |very )?welcome|my pleasure|no worries"
    r"|sorry (?:to hear|you (?:are|were|had|have)|you're|for (?:the|any)|about (?:the|that|this))|apologi[sz]e for"
    r"|apologies for|understand (?:your|how) (?:frustrat|concern)"
    r"|patience|look(?:ing)? forward to|hope (?:this|that) helps"
    r"|reach out to us|good luck|(?:write|call|contact us|reach out) any ?time|how (?:can|may) (?:i|we) (?:help|assist)"
    r"|(?:good|nice) to hear|stay safe|take care"
    r"|have a \w+ (?:trip|journey|flight|time)|(?:do you need|is there) anything"
    r"|a pleasure to help|keep us posted|we assure you|(?:don't|do not|never) share (?:any |your )?(?:personal|private)"
    # What machines answer in an agent's name, and what an import notes of a change that tells nothing.
    r"|with no change in state"
    r"|automated (?:message|reply|response)|do not reply"
    r"|(?:request|ticket|message|e-?mail) (?:has been|was) (?:received|created|assigned)"
    r"|get back to you (?:as soon|shortly)|virtual assistant"
    r"|dank für|tut (?:uns|mir)\b.{0,10}leid"
    r"|bitten\b.{0,40}entschuldigung|entschuldigen sie|gern(?:e)? geschehen|sehr gerne"
    r"|schönen? (?:tag|abend|wochenende)|noch (?:weitere )?fragen|für sie da"
    r"|zögern sie nicht|melden sie sich (?:gern|jederzeit)|stehe\w* .{0,20}verfügung"
    r"|automatisch (?:erstellte|generierte)"
    r"|merci (?:pour|de votre|d'avoir)|désolée?s? (?:pour|de|du|que)|n'hésitez pas"
    r"|avec plaisir|bon(?:ne)? (?:voyage|journée|soirée|week-end)|à votre disposition"
    r"|toutes nos excuses|je vous en prie"
    r"|gracias por|(?:siento|sentimos|disculpe|lamentamos)\b.{0,20}molestias"
    r"|no (?:dude|dudes) en|a su disposición|que tengas? (?:un )?buen|de nada"
    r"|grazie per|mi dispiace|ci dispiace|non esit[ia]|a (?:sua )?disposizione|buona (?:giornata|serata)"
    r"|bedankt voor|excuses voor|aarzel niet|fijne (?:dag|avond|weekend)|graag gedaan"
    r"|obrigad[oa] por|desculpe|lamentamos|não hesite|à disposição|tenha um",
)
_OUTCOME = re.compile(
    r"\b(?:work(?:s|ed|ing)|fixed|solved|resolved|sorted|good now|all good|got it|arrived|received|found it|did (?:it|the trick)|(?:is|are|'re) back"
    r"|i'm in|everyone is in|(?:it|that|everything) runs?|runs? again|loads? again"
    r"|still (?:not?|nothing|the|says?|shows?|gets?|getting|starts?|stops?|happen\w*|waiting|broken|down|offline|blank|empty|missing|fail\w*|\w+n't)"
    r"|no longer|same (?:thing|error|problem|issue|result)|not yet|close (?:the|this)"
    r"|closed|no luck|didn't (?:work|help)|went through"
    r"|funktioniert|klappt|geht (?:jetzt|wieder|nicht|immer)|läuft|gelöst"
    r"|erledigt|behoben|angekommen|erhalten|immer noch|nach wie vor|wieder|ist da"
    r"|marche|fonctionne|résolu|réglé|reçue?s?|revenue?|arrivée?|toujours|c'est bon|encore"
    r"|funciona|solucionado|resuelto|arreglado|recibido|llegado|ya (?:he|la|lo|puedo|está|va|ha)|sigue|todavía|ahora sí"
    r"|funziona|risolto|arrivat[oa]|ricevuto|ancora|a posto"
    r"|werkt|opgelost|gelukt|aangekomen|ontvangen|nog steeds"
    r"|funcion(?:a|ou)|resolvido|recebi|chegou|ainda|continua)\b",
    re.IGNORECASE,
)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without what its ends can spare; a rest shorter than 8 characters is only left after handles."""
    for _ in range(_PASSES):
        before = (start, end)
        for pattern in _FRONT:
            found = pattern.match(text, start, end)
            # "Got it, thanks Lotte" keeps its news rather than its thanks.
            shortest = 2 if pattern is _HANDLES else _SHORTEST_REST
            if found and end - found.end() >= shortest and not is_only_greeting(text[found.end() : end]):
                start = found.end()
        for pattern in _BACK:
            found = pattern.search(text, start + _SHORTEST_REST, end)
            if found:
                end = found.start()
        if (start, end) == before:
            break
    return _without_loose_ends(text, *_shortened(text, start, end))


def is_only_greeting(text: str) -> bool:
    """Tell whether a whole sentence is a greeting or thanks and at most a name."""
    return len(text) <= _LONGEST_GREETING and _ONLY_GREETING.fullmatch(text) is not None


def is_only_addresses(text: str) -> bool:
    """Tell whether a sentence is nothing but handles, hashtags, links or mail addresses."""
    return all(map(_ADDRESS.fullmatch, text.split()))


def is_greeting(text: str) -> bool:
    """Tell whether a sentence of few words only greets or thanks."""
    return count_words(text) <= 7 and _GREETING.search(text) is not None


def is_courtesy(text: str) -> bool:
    """Tell whether a sentence is what agents write in every ticket."""
    return _COURTESY.search(text.lower().replace("’", "'")) is not None


def tells_outcome(text: str) -> bool:
    """Tell whether a sentence says that something works now, has come, or still does not."""
    return _OUTCOME.search(text.replace("’", "'")) is not None


def is_machine_text(text: str) -> bool:
    """Tell whether a sentence is a log line, a stack frame, code or markup: mostly signs and digits, or built of very long words."""
    words = text.split()
    visible = "".join(words)
    letters = sum(map(str.isalpha, visible))
    longest = max(map(len, words), default=0)
    is_spaceless = max(visible, default="") > "\u2e80"
    return (
        _MARKUP.fullmatch(text) is not None
        or letters < 0.55 * len(visible)
        or (longest > 60 and not is_spaceless and len(words) < 6)
    )


def _shortened(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a very long sentence at a comma, else at a word: a highlight is something to glance at."""
    words = list(_WORD.finditer(text, start, end))
    if len(words) <= _LONGEST_WORDS:
        return start, end
    limit = words[_CUT_AT_WORDS - 1].end()
    cuts = [found.start() for found in _CUT.finditer(text, words[_CUT_AT_WORDS // 2].start(), limit)]
    return start, cuts[-1] if cuts else limit


def _without_loose_ends(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and (text[end - 1].isspace() or text[end - 1] in _LOOSE_END):
        end -= 1
    return start, end
