"""Postal addresses: a street with a number by the custom of its country, and the place behind it; postal codes with their city.

A street's word and a number must stand together. Lines and pieces that follow (flat, district, code and city, country) go along. A town alone, or a code
that could be any number, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŤŢŪŮŰŲŹŻŽΑ-ΩА-ЯЁ"
_CAP = rf"[{_UP}][^\W\d_]*(?:['’.\-][^\W\d_]+)*\.?"
_NUMBER = r"\d{1,5}(?:\s?[a-zA-Z](?![\w]))?(?:\s?[/\-–]\s?\d{1,4}[a-zA-Z]?(?!\w))?"
_LINK = r"(?:of|the|de|du|des|da|do|dos|das|del|della|dei|degli|di|la|le|les|los|las|el|lo|van|den|der|het|'t|y|e|en|d'|l')"

_ENGLISH = (
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct way place pl square sq terrace ter close crescent cres parkway pkwy highway hwy circle cir trail trl"
    " row mews gardens grove walk wharf alley loop hill nagar marg salai colony layout enclave vihar chowk bazar bazaar sarani crossing ridge point park plaza path pike route"
    " rise green parade esplanade quay view heights meadows estate brae vale turnpike expressway freeway bypass pass fork forges streets sector phase block society"
)
_GLUED = (
    "straße strasse str. stra?e gasse weg platz allee ring damm ufer steig chaussee graben markt promenade stieg kamp berg hof"
    " straat laan plein gracht kade dijk singel dreef steeg markt pad hof weg straatweg baan lei"
    " gatan vägen gata väg gränd torget stigen allén plan gate gaten veien vei vegen plass gade vej vænge stræde allé torv boulevard"
    " tie katu kuja polku rinne kaari tanav puiestee maantee gata vegur braut stígur gatve prospektas iela"
)
_BEFORE = (
    # French
    r"rue|avenue|av\.|ave|boulevard|bd|bld|place|chemin|impasse|allée|allées|quai|route|cours|square|passage|faubourg|sentier|esplanade|résidence|lotissement|villa|ruelle"
    # Spanish, Portuguese
    r"|calle|c/|avda\.?|avenida|av|plaza|pza\.?|paseo|pº|carrera|cra\.?|camino|ronda|travesía|glorieta|calzada|callejón|carretera|ctra\.?|diagonal|boulevard"
    r"|rua|r\.|travessa|alameda|praça|rodovia|largo|estrada|ladeira|calçada"
    # Italian
    r"|via|viale|v\.le|piazza|p\.zza|corso|c\.so|vicolo|piazzale|strada|lungomare|lungotevere|contrada|salita|borgo"
    # Polish, Czech, Slovene, Croatian, Romanian
    r"|ul\.|ulica|al\.|aleja|aleje|os\.|osiedle|pl\.|plac|rondo|nám\.|náměstí|třída|tř\.|trg|cesta|strada|str\.|bulevardul|bd\.|calea|šos\.|șos\.|aleea"
    # German, Swiss and others that stand before
    r"|am|an der|an den|im|in der|auf der|auf dem|zum|zur|unter den|hinter der|vor dem"
    # Russian, Ukrainian
    r"|ул\.|улица|вул\.|вулиця|пр\.|пр-т|просп\.|проспект|пер\.|переулок|бул\.|бульвар|наб\.|набережная|шоссе|пл\.|площадь"
    # Greek, Arabic and Hebrew
    r"|οδός|οδού|λεωφόρος|λεωφ\.|شارع|طريق|רחוב|שדרות"
)
_AFTER = "utca|út|útja|tér|tere|körút|krt\\.?|köz|sor|sokak|sok\\.?|sk\\.?|caddesi|cad\\.?|cd\\.?|bulvarı|bulv\\.?|mahallesi|mah\\.?|ulice|utcája"

_UNIT = (
    r"(?:(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|block|box|po box|appt|bât|étage|esc|wohnung|whg|top|stock|og|piso|puerta|pta|depto|interno|int|scala"
    r"|apto|bloco|sala|andar|m\.|lok\.|kv|кв|корп|стр|д|et|lgh|dør|as|daire|kat|no)\.?\s?[:#]?\s?[\w\-]{1,6}|#\s?[\w\-]{1,8}|\d{1,2}\s?[º°ª]\s?[A-Za-z]{0,4}|\d{1,2}(?:st|nd|rd|th) floor)"
)
_COUNTRY_BEFORE = r"(?:(?:D|DE|A|AT|CH|F|FR|I|IT|NL|B|BE|L|E|ES|P|PT|PL|CZ|S|SE|N|NO|DK|FI|FIN|H|HU|SLO|HR|GR|RO|BG|SK|EE|LT|LV)-)?"
_CODE = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{4}\s?[A-Z]{2}(?=\s[A-Z])|\d{5}-\d{3,4}|\d{2}-\d{3}|\d{4}-\d{3}|\d{3}-\d{4}|\d{3}\s\d{2,3}|\d{2}\s\d{3}|\d{6}|\d{5}|\d{4}|\d{3}(?=\s[A-Z]))(?![\w])"
)
_CITY = rf"{_CAP}(?:[ \-](?:{_LINK}\s)?{_CAP}){{0,3}}(?:\s\d{{1,2}}(?!\d))?"
_STATE = r"(?:[A-Z]{2,3}|\([A-Z]{2}\))(?!\w)"
_SEPARATOR = r"(?:\s?[,;\\]\s?|\s?[,]?\s?\n[ >?\t]{0,6}|\s[\-–]\s|\s{1,3})"
_TAIL_PIECE = re.compile(
    rf"{_SEPARATOR}(?:{_UNIT}(?!\w)|{_COUNTRY_BEFORE}{_CODE}(?:\s{_CITY})?|(?P<city>{_CITY})(?:\s?,?\s?{_STATE})?(?:[,]?\s{_COUNTRY_BEFORE}{_CODE})?(?P<sure>(?<=\d)|(?<=[A-Z]{{2}}))?|{_STATE}(?:\s{_CODE})?)",
    re.IGNORECASE if False else 0,
)
_UNIT_PIECE = re.compile(rf"{_SEPARATOR}{_UNIT}(?!\w)", re.IGNORECASE)
_CODE_PIECE = re.compile(rf"{_SEPARATOR}{_COUNTRY_BEFORE}{_CODE}(?:\s{_CITY})?")
_CITY_PIECE = re.compile(rf"\s?[,\n]\s?[ >?]{{0,4}}{_CITY}(?:\s?[,\-–/]?\s?{_STATE})?(?:\s?,?\s?{_COUNTRY_BEFORE}{_CODE})?|\s[\-–]\s{_CITY}|\s{_CITY}\s{_STATE}(?:\s{_CODE})?|\s{_CITY},?\s{_COUNTRY_BEFORE}{_CODE}")
_STATE_PIECE = re.compile(rf"{_SEPARATOR}{_STATE}(?:\s{_CODE})?")
_MOST_PIECES = 6

_STREETS = (
    # 12 Harrow Lane; 509 W 38th Street; 17 MG Road
    re.compile(
        rf"(?<![\w.,$€£-])(?:(?:flat|unit|apt|suite|shop|house|no|plot|door)\.?\s?(?:no\.?\s?)?[\w\-/]{{1,6}},?\s)?\d{{1,6}}[A-Za-z]?(?:[/\-]\d{{1,5}}[A-Za-z]?)?,?\s(?:(?:[NSEW]|[NS][EW]|North|South|East|West)\.?\s)?(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th)|{_LINK}|\d{{1,4}})\s){{1,5}}(?:{_ENGLISH.replace(' ', '|')})(?![\w])\.?(?:\s(?:[NSEW]|[NS][EW])(?![\w]))?",
    ),
    # Lindenstraße 14a; Keizersgracht 241; Storgatan 12
    re.compile(rf"(?<![\w])(?:{_CAP}[ \-]){{0,3}}[{_UP}][^\W\d_]+(?:-[^\W\d_]+)*?(?:{_GLUED.replace(' ', '|').replace('.', chr(92) + '.').replace('stra?e', 'stra.e')})\.?\s{_NUMBER}"),
    re.compile(rf"(?<![\w])(?:{_CAP}[ \-]){{1,3}}(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Pp]latz|[Ww]eg|[Aa]llee|[Rr]ing|[Dd]amm|[Uu]fer|[Gg]asse|[Gg]ate|[Vv]ei|[Vv]ej|[Gg]ade|[Aa]llé|[Pp]lein|[Ll]aan|[Ss]traat|{_AFTER})\.?,?\s(?:No\.?:?\s?)?{_NUMBER}\.?"),
    # 18 rue de la République
    re.compile(rf"(?<![\w.,-])\d{{1,4}}(?:\s?(?:bis|ter|quater|[A-D]))?,?\s(?i:{_BEFORE.split('|calle')[0]})\s(?:{_LINK}\s?)*(?:{_CAP})(?:[ \-](?:{_LINK}\s?)*(?:{_CAP}|\d{{1,2}}(?!\d))){{0,5}}"),
    # Calle Mayor 23; Via Garibaldi, 45; Rua das Flores, 123; ul. Marszałkowska 84/92; Am Alten Markt 7
    re.compile(rf"(?<![\w])(?:(?i:{_BEFORE}))\s?(?:{_LINK}\s?)*(?:{_CAP}|\d{{1,2}}\.?\s{_CAP})(?:[ \-](?:{_LINK}\s?)*(?:{_CAP}|[IVX]+|\d{{1,2}}\s(?=de\s))){{0,5}}(?:,?\s(?:n\.?\s?[º°o]\.?|nº|no\.?|num\.?|nr\.?|č\.|д\.)?\s?){_NUMBER}"),
)
_STREET_SIGNS = re.compile(r"\d")

_CODES = (
    # SW1A 1AA, and its town before
    re.compile(rf"(?:(?<![\w]){_CAP}(?:[ ]{_CAP}){{0,2}},?\s)?(?<![\w])(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{{2}})(?![\w])"),
    # Austin, TX 78704
    re.compile(
        rf"(?<![\w]){_CAP}(?:\s{_CAP}){{0,2}},\s(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\s\d{{5}}(?:-\d{{4}})?(?![\w])"
    ),
    # H2Y 1H2
    re.compile(r"(?<![\w])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\s\d[ABCEGHJ-NPRSTV-Z]\d(?![\w])"),
    # 1016 EA Amsterdam
    re.compile(rf"(?<![\w])[1-9]\d{{3}}\s?[A-Z]{{2}},?\s{_CITY}"),
    # D-10969 Berlin
    re.compile(rf"(?<![\w])(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|E|ES|PL|CZ|SE|DK|NO|FI|SLO|HR)-\d{{2,3}}[\s-]?\d{{2,3}}\s{_CITY}"),
    # 31-864 Kraków
    re.compile(rf"(?<![\w-])\d{{2}}-\d{{3}}\s{_CITY}"),
    # CEP 01310-200
    re.compile(r"(?<=CEP )\d{5}-?\d{3}(?!\d)|(?<=CEP: )\d{5}-?\d{3}(?!\d)"),
    # Lines of their own: 10969 Berlin; Brighton 12345
    re.compile(rf"(?m)(?<=\n)[ >]*{_COUNTRY_BEFORE}\d{{4,5}}\s{_CITY}[ ]*$"),
    # PSC 3294, Box 9168, APO AA 61487; PO Box 1180
    re.compile(r"(?:PSC|CMR|Unit|USNS|USS|USCGC)\s[\w ]{1,24},?\s(?:Box\s\d{1,5},?\s)?(?:APO|FPO|DPO)\s(?:AA|AE|AP)\s\d{5}(?:-\d{4})?", re.IGNORECASE),
    re.compile(r"(?<!\w)(?:P\.?\s?O\.?\s?Box|Postfach|Boîte postale|B\.P\.|Apartado(?: de correos)?|Caixa Postal|Postbus|Casella Postale|Box)\s\d{2,6}(?!\d)(?:,\s?[A-Z0-9][^\n,;]{2,30})?(?=[\s,.;]|$)(?<!Box \d)"),
)
_CITIES = (
    "berlin hamburg münchen köln frankfurt stuttgart düsseldorf dortmund essen leipzig bremen dresden hannover nürnberg duisburg bochum wuppertal bielefeld bonn münster karlsruhe"
    " mannheim augsburg wiesbaden wien graz linz salzburg innsbruck zürich genève basel bern lausanne paris marseille lyon toulouse nice nantes strasbourg montpellier bordeaux"
    " lille rennes reims madrid barcelona valencia sevilla zaragoza málaga murcia palma bilbao alicante roma milano napoli torino palermo genova bologna firenze bari catania"
    " venezia verona bruxelles antwerpen gent lisboa porto stockholm göteborg malmö oslo bergen københavn aarhus helsinki espoo tampere praha brno budapest"
)
_CODE_AND_CITY = re.compile(rf"(?<![\w.,-])\d{{4,5}}\s(?:{'|'.join(city.capitalize() for city in _CITIES.split())})(?![\w])")

_EAST_ASIAN = re.compile(
    "(?:〒\\s?\\d{3}-\\d{4}\\s?)?(?:東京都|北海道|大阪府|京都府|[\u4e00-\u9fff]{2,3}県)[\u4e00-\u9fff\u3040-\u30ffー\\s]{1,20}[\\d０-９一二三四五六七八九十]+(?:[-－−ー丁目番地号の\\d０-９]*[\\d０-９号地目])?"
    "|〒\\s?\\d{3}-\\d{4}"
    "|[\u4e00-\u9fff]{2,4}(?:市|区|區|县)[\u4e00-\u9fff]{1,12}?(?:市|区|區|县|镇|乡)?[\u4e00-\u9fff]{1,8}(?:路|街|道|巷|弄|大道)(?:[一二三四五六七八九十]段)?\\d+(?:巷\\d+)?(?:弄\\d+)?号?號?(?:\\d+[室楼樓单元號号]*)*"
    "|(?:[\uac00-\ud7af]{2,7}(?:시|도)\\s)?(?:[\uac00-\ud7af]{1,5}(?:시|군|구)\\s){1,2}(?:[\uac00-\ud7af\\d]{1,9}(?:로|길|동|읍|면)\\s?)\\d+(?:번길\\s?\\d+)?(?:-\\d+)?(?:\\s\\d+(?:동|호|층))*"
    "|\\d{1,2}(?:-\\d{1,2}){1,2}\\s[A-Z][a-z]+(?:[ -][A-Z]?[a-z]+)*,\\s[A-Z][a-z]+-(?:ku|shi|cho|machi)(?:,\\s[A-Z][a-z]+(?:-(?:to|fu|ken))?)?(?:\\s\\d{3}-\\d{4})?"
)


def find_addresses(reading: Reading) -> Iterator[Span]:
    """Yield postal addresses."""
    text = reading.text
    if not _STREET_SIGNS.search(text):
        return
    for pattern in _STREETS:
        for found in pattern.finditer(text):
            yield Span(found.start(), _with_place(text, found.end()), "address")
    for pattern in (*_CODES, _CODE_AND_CITY):
        for found in pattern.finditer(text):
            yield Span(found.start(), found.end(), "address")
    if not text.isascii() or "-ku" in text or "-shi" in text:
        for found in _EAST_ASIAN.finditer(text):
            yield Span(found.start(), found.end(), "address")


def _with_place(text: str, end: int) -> int:
    """Return where an address ends that has a street's number here: flat, code, city, state and country go along."""
    for _ in range(_MOST_PIECES):
        for pattern in (_UNIT_PIECE, _CODE_PIECE, _CITY_PIECE, _STATE_PIECE):
            found = pattern.match(text, end)
            if found:
                end = found.end()
                break
        else:
            break
    return end
