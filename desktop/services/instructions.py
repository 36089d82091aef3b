"""Instructions: passages of a ticket that speak to a model in place of to a person, so that the window can point them out.

A badge for the reader, no defense: what a ticket says reaches the model as data and does nothing, found here or not. Told by their wording, in
several languages, by marks of chat templates and by text that hides itself. Tuned so that ordinary tickets are hardly ever marked; a plain question
or task (“What is the capital of Brazil?”) cannot be told from what customers write, and is not.

A rule is only tried where one of its words stands in the message: that takes a twentieth of the time of trying all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.domain.tickets import Thread

_MODEL = (
    r"(?:ai|a\.i\.|llms?|gpt|chatgpt|claude|gemini|copilot|chatbot|bot|(?:large |ai )?language models?"
    r"|ai[- ](?:assistant|agent|model|system|summari[sz]er)s?|summari[sz]er|virtual assistant)"
)
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|former|existing|original|initial|system|all|any|your|other)"
)
_ORDERS = r"(?:instructions?|prompts?|guidelines|directives?|directions|rules|commands|programming|system messages?)"
_ANSWER = r"(?:response|answer|reply|message|output|summary)s?"
_GAP = r"(?:[^.!?\n]|[.!?](?=\S))"
"""Anything within a sentence; the full stops of an address end none."""
_SHAPING = (
    r"(?:letters?|vowels?|words?|spaces|punctuation|typos|misspellings?|misspelled|anagrams?|anagrammed|substitution|symbols|numbers"
    r"|keywords|sentence|statement|headline|tip|recommendation|reminder|appeal|reason)"
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """Where it stands: the message's position (from 1), start and end in its text; and in a few words what it was told by."""

    position: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    words: tuple[str, ...]
    also: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(kind: str, words: str, *patterns: str, also: str = "") -> _Rule:
    """Make a rule that is tried where one of `words` stands in the text, and one of `also`."""
    pattern = re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE)
    return _Rule(kind, tuple(words.split("|")), tuple(also.split("|")), pattern)


_OVERRIDE, _ROLE, _ORDER = "sets instructions aside", "gives a model a role", "says what a model shall write"
_RULES = (
    _rule(
        _OVERRIDE,
        "instruction|prompt|guideline|directive|direction|rules|command|programming|system message",
        rf"\b(?:ignore|disregard|forget|override|bypass|discard|do(?: not|n['’]t) follow|stop following|pay no attention to)\b"
        rf"[^.!?\n]{{0,40}}?\b{_EARLIER}\b[^.!?\n]{{0,30}}?\b{_ORDERS}\b",
        rf"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{{0,20}}\b{_ORDERS}\b[^.!?\n]{{0,20}}\b(?:above|before|so far|given to you)\b",
        r"^[^\S\n]*(?:new|updated|real|system|important) instructions?\s*:",
        also="ignor|disregard|forget|overrid|bypass|discard|not follow|n't follow|n’t follow|stop following|no attention|instructions:|instruction:",
    ),
    _rule(
        _OVERRIDE,
        "everything|anything",
        r"\b(?:ignore|disregard|forget) (?:everything|anything)\b[^.!?\n]{0,20}\b(?:above|before this|you (?:were|have been) told|you know)\b",
    ),
    _rule(
        "asks for a model's instructions",
        "prompt|instructions",
        r"\b(?:your|reveal the|show the|print the|leak the|override the|hidden) (?:system|initial|hidden|original|secret) (?:prompt|instructions)\b",
        r"\b(?:reveal|print|repeat|output|leak|show me|tell me) (?:me )?your (?:\w+ )?(?:prompt|instructions)\b",
        r"\b(?:begin|end|new|updated) system prompt\b",
        also="your|reveal|show|print|leak|overrid|hidden|begin|end|new|updated",
    ),
    _rule(
        _ROLE,
        "you are|act as|pretend|from now on|you're|roleplay|role-play",
        rf"\byou(?: are|['’]re) (?:now |no longer |actually |really )?(?:(?:an?|the) )?(?:[\w-]+ ){{0,3}}?{_MODEL}\b"
        r"(?! (?:team|account|plan|user|customer))",
        rf"\b(?:act|behave|respond|answer) (?:as|like) (?:an? |the )?(?:[\w-]+ ){{0,3}}?(?:{_MODEL}|pirate|hacker|dan)\b",
        r"\bfrom now on,? you (?:will|must|are (?:a|an|the|to)|shall|only|always|respond|answer|speak)\b",
        r"\byou(?: are|['’]re) now (?:dan\b|in developer mode)",
        r"\bpretend (?:that )?(?:you are|you['’]re|to be) (?:an? |the )?(?:[\w-]+ ){0,2}?(?:ai|bot|assistant|model|pirate|hacker|admin|developer)\b",
    ),
    _rule(
        "speaks to a model",
        "language model|an ai|llm|chatgpt|gpt|chatbot|ai assistant|ai model|ai agent|summarizer|summariser|dear ai|note to ai|claude|copilot",
        r"\b(?:as|if you are|if you['’]re) an? (?:[\w-]+ ){0,2}?(?:ai|llm|(?:large )?language model|ai (?:assistant|model|agent|summari[sz]er))"
        r"\b(?! (?:company|startup|team|customer))",
        rf"(?:^|[.!?\[(*<-]\s*)(?:attention|note|message|instructions?|dear|hey|hello|to)[\s,:]+(?:to |for )?(?:the |any |all |our )?"
        rf"{_MODEL}\s*[:,!]",
        rf"\b(?:attention|note|message|instructions?) (?:to|for) (?:the |any |all )?{_MODEL}\b",
        rf"\b(?:any|the|all) {_MODEL} (?:reading|processing|summari[sz]ing|that reads|which reads) (?:this|the)\b",
    ),
    _rule(
        _ORDER,
        "summar",
        r"\bwhen (?:you )?(?:are )?summari[sz](?:e|ing) (?:this|the) (?:ticket|thread|conversation|text|e-?mail|message)\b",
        r"\b(?:in|to|of|from) your summary\b[^.!?\n]{0,10}\b(?:say|write|include|add|state|mention|claim|recommend|omit|leave out)\b",
        r"\b(?:say|write|include|add|state|mention|claim|omit|insert|put)\b[^.!?\n]{0,60}\b(?:in|to|from|into) your summary\b",
        r"\bdo(?: not|n['’]t) summari[sz]e (?:this|the|any)\b",
        r"\b(?:the|your) summary (?:must|shall|should only) (?:say|state|contain|be|include|read)\b",
    ),
    _rule(
        _ORDER,
        "only with|only in|exactly|nothing but|nothing else|solely|just with|the word|the phrase",
        r"\b(?:reply|respond|answer) (?:only|exactly|solely|strictly|just) (?:with|in)\b(?! regards?)",
        r"\b(?:output|say|print|write|reply with|respond with|answer with) "
        r"(?:exactly|nothing but|only the (?:word|phrase|text|string)|the (?:word|phrase) [\"“'‘])",
        r"\b(?:output|say|print|respond with|answer with)\b[^.!?\n]{1,60}\band nothing else\b",
    ),
    _rule(
        _ORDER,
        "your response|your answer|your reply|your message|your output",
        rf"\b(?:modify|augment|enhance|integrate|render|rearrange|scramble|jumble|misspell|anagram|translate)\b{_GAP}{{0,80}}\byour {_ANSWER}\b",
        rf"\b(?:add|include|replace|remove|use|introduce|provide|group|combine|convert|substitute|insert|start|end)\b[^.!?\n]{{0,60}}?"
        rf"\b{_SHAPING}\b[^.!?\n]{{0,60}}?\byour {_ANSWER}\b",
        rf"\b(?:provide|write|give|format) your {_ANSWER} (?:using|in (?:\w+ )?(?:anagram|json|base64|pirate|capital|upper|alphanumeric)\w*"
        r"|with(?:out)? "
        rf"(?:\w+ )?{_SHAPING}|without any)\b",
        rf"\bin your {_ANSWER}, (?:suggest|tease|recommend|promote|include|add|mention that|say|claim|use)\b",
        rf"\b(?:add|insert|append) [\"“'‘«][^\n]{{3,200}}?\bto your {_ANSWER}\b",
        rf"\buse\b[^.!?\n]{{0,40}}\bin your {_ANSWER}\b",
        also="modify|augment|enhance|integrate|render|arrange|scramble|jumble|misspell|anagram|translate|letter|vowel|words|space|punctuation|typo"
        "|substitution|symbol|number|sentence|statement|headline|a tip|recommend|reminder|appeal|reason|your answer,|your response,|your reply,"
        "|your message,|your output,|add |insert|append|format|use ",
    ),
    _rule(
        _ORDER,
        "the user",
        r"\b(?:do(?: not|n['’]t)|never|without) (?:tell|telling|inform|informing|alert|alerting|notify|notifying) the user\b[^.!?\n]{0,30}"
        r"\b(?:about (?:this|these)|of (?:this|these)|that you)\b",
    ),
    _rule(
        "holds marks of a chat template",
        '<|im_|<|start|<|end|<|sys|<|user|<|assist|[inst]|[/inst]|<<sys>>|### |<system|</system|"role"|<start_of_turn|begin_of_text',
        r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|begin_of_text|end_of_text|eot_id|start_header_id|end_header_id|end)\|>",
        r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>",
        r"^[^\S\n]*#{2,4} ?(?:instruction|system|assistant|human|user|response)s?(?: prompt| message)?\s*(?::|$)",
        r"</?system(?:[-_ ](?:prompt|message|reminder))?>",
        r"[\"']role[\"']\s*:\s*[\"'](?:system|assistant)[\"']",
    ),
    _rule(
        "asks to decode something",
        "base64|decode|rot13",
        r"\b(?:base64|decode|rot13)\b[^\n]{0,60}\n?[^\n]{0,40}?(?<![\w+/-])(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{40,}={0,2}",
        r"(?<![\w+/-])(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{40,}={0,2}[^\n]{0,40}\n?[^\n]{0,40}?\b(?:base64|decode|rot13)\b",
    ),
    _rule(
        _OVERRIDE,
        "anweisung|instruktion|vorgaben|instruction|consigne|directive|instruccion|órdenes|indicacion|istruzion|instruç|instructies|opdracht"
        "|instrukcj|poleceni|инструкц|указани|команд|talimat|komut",
        r"\b(?:ignorier|vergiss|vergessen sie|missacht)\w*\b[^.!?\n]{0,30}"
        r"\b(?:alle[ns]?|deine|vorherig\w*|bisherig\w*|obig\w*|vorangegangen\w*|früher\w*)\b"
        r"[^.!?\n]{0,30}\b(?:anweisung|instruktion|vorgabe|befehl|regel)\w*",
        r"\b(?:ignore[rz]?|oublie[rz]?|ne tene?z pas compte)\b[^.!?\n]{0,20}\b(?:instructions|consignes|directives)\b[^.!?\n]{0,15}"
        r"(?:précédent|ci-dessus|antérieur|initial)\w*|\b(?:ignore[rz]?|oublie[rz]?) toutes (?:les|tes|vos) (?:instructions|consignes|directives)\b",
        r"\b(?:ignor[ae]|olvid[ae]|haz caso omiso de|no sigas)\b[^.!?\n]{0,25}\b(?:instrucciones|órdenes|indicaciones|reglas)\b[^.!?\n]{0,15}"
        r"\b(?:anteriores|previas|de arriba|dadas)\b",
        r"\b(?:ignora|dimentica)\w*\b[^.!?\n]{0,25}\b(?:istruzioni|regole)\b[^.!?\n]{0,15}\b(?:precedenti|sopra)\b",
        r"\b(?:ignor[ea]|esqueça|desconsidere)\b[^.!?\n]{0,25}\b(?:instruções|ordens|regras)\b[^.!?\n]{0,15}\b(?:anteriores|prévias|acima)\b",
        r"\b(?:negeer|vergeet)\b[^.!?\n]{0,30}\b(?:vorige|eerdere|voorgaande|alle)\b[^.!?\n]{0,20}\b(?:instructies|opdrachten|regels)\b",
        r"\b(?:z?ignoruj|zapomnij)\w*\b[^.!?\n]{0,30}\b(?:poprzedni|wcześniejsz|wszystki)\w*\b[^.!?\n]{0,20}\b(?:instrukcj|poleceni)\w*",
        r"\b(?:про)?(?:игнорируй|забудь|не обращай внимания)\w*\b[^.!?\n]{0,40}\b(?:инструкци|указани|команд)\w*",
        r"\bönceki\b[^.!?\n]{0,15}\b(?:talimat|komut)\w*[^.!?\n]{0,15}\b(?:yok say|unut|görmezden gel|dikkate alma)\w*",
    ),
    _rule(
        _ROLE,
        "du bist|tu es|eres|sei |você é|je bent|ты ",
        r"\bdu bist (?:jetzt|nun|ab (?:jetzt|sofort)) (?:ein|eine|kein) (?:[\w-]+ ){0,2}?(?:assistent|ki|bot|chatbot|sprachmodell|pirat|hacker)\w*",
        r"\btu es (?:maintenant|désormais) une? (?:[\w-]+ ){0,2}?(?:assistant|ia|bot|modèle|pirate)\b",
        r"\bahora eres una? (?:[\w-]+ ){0,2}?(?:asistente|ia|bot|modelo|pirata)\b"
        r"|\bora sei un[a']? ?(?:[\w-]+ ){0,2}?(?:assistente|ia|bot|modello)\b",
        r"\bagora você é uma? (?:[\w-]+ ){0,2}?(?:assistente|ia|bot|modelo)\b|\bje bent nu een (?:[\w-]+ ){0,2}?(?:assistent|ai|bot|model)\b",
        r"\b(?:теперь ты|ты теперь) [^.!?\n]{0,20}(?:ассистент|помощник|бот|модель|пират)\w*",
    ),
    _rule(
        _ORDER,
        "antworte|réponds|responde|rispondi|antwoord|отвечай",
        r"\bantworte (?:nur|ausschließlich|immer) (?:noch )?(?:mit|auf|in)\b|\bréponds (?:uniquement|seulement|toujours) (?:par|avec|en)\b",
        r"\bresponde (?:solo|sólo|únicamente|apenas|somente) (?:con|com|en|em)\b|\brispondi (?:solo|soltanto|unicamente) (?:con|in)\b",
        r"\bantwoord (?:alleen|uitsluitend) (?:met|in)\b|\bотвечай только\b",
    ),
    _rule(
        _OVERRIDE,
        "指令|指示|提示|命令|プロンプト|规则|지시|명령|프롬프트|系统",
        r"(?:忽略|无视|無視|忘记|忘掉|不要遵守)[^。！？\n]{0,12}(?:指令|指示|提示词|提示|规则|命令)",
        r"(?:以前|これまで|上記|前|すべて|全て)[^。！？\n]{0,8}(?:指示|命令|プロンプト|ルール)[^。！？\n]{0,8}(?:無視|忘れ)",
        r"(?:이전|위의|모든|앞의)[^.!?\n]{0,8}(?:지시|명령|프롬프트)[^.!?\n]{0,8}(?:무시|잊)",
        r"(?:你的|显示|输出)(?:系统)(?:提示词?|指令)|システムプロンプト|시스템 프롬프트",
    ),
    _rule(
        _ROLE,
        "你现在是|从现在开始你|今からあなた|あなたは今から|너는 이제|당신은 이제",
        r"你现在是一?[个名]?|从现在开始你|今からあなたは|あなたは今から|(?:너는|당신은) 이제",
    ),
)
# Between letters: three of them and more are no accident of a web page. Flags of regions are written with signs from the tag block too.
_HIDDEN = re.compile(
    "[\u200b\u2060\u2061\u2062\u2063\u2064\ufeff]{3,}|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]{2,}|\u202e[^\n]{2,}"
)
_MAY_HIDE = "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u202e"


def find_instructions(thread: Thread) -> tuple[Instruction, ...]:
    """Return the passages of a ticket that speak to a model, in the order of the text; of those that overlap the first."""
    found: list[Instruction] = []
    for message in thread.messages:
        end = 0
        for passage in sorted(_find(message.text)):
            if passage[0] >= end:
                found.append(Instruction(message.position, *passage))
                end = passage[1]
    return tuple(found)


def _find(text: str) -> set[tuple[int, int, str]]:
    passages: set[tuple[int, int, str]] = set()
    folded = text.lower()
    for rule in _RULES:
        if any(word in folded for word in rule.words) and any(word in folded for word in rule.also):
            passages.update((*_trimmed(match), rule.kind) for match in rule.pattern.finditer(text))
    # Only a text with signs beyond Latin-1 can hold any.
    if not text.isascii() and (any(sign in text for sign in _MAY_HIDE) or max(text) >= "\U000e0020"):
        passages.update((match.start(), match.end(), "hides text") for match in _HIDDEN.finditer(text))
    return passages


def _trimmed(match: re.Match[str]) -> tuple[int, int]:
    """Return a match without the space and the marks in front of its first word that a pattern began at."""
    start = match.start() + len(match.group()) - len(match.group().lstrip(" \t\n.!?"))
    return start, match.end()
