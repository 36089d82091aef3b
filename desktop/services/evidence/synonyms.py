"""Synonyms: words of support that stand for each other, as a paraphrase uses them, and words that shut each other out.

Hand-made and English. A word may stand in several groups. What matters is that a group says one thing: two words that a support lead would keep
apart (refund and voucher, cancel and return) are in different ones. Words that the list does not know cost a paraphrase some score, nothing more.
"""

from __future__ import annotations

from functools import lru_cache

from desktop.services.words import stem

_GROUPS = """
charge bill debit invoice deduct collect|refund reimburse repay return money back compensate
pay payment paid settle transfer|price cost fee amount sum rate|cancel end terminate stop discontinue
buy purchase order|yearly annual year|monthly month|subscription plan contract package option tariff
renew extend prolong renewal|invoice bill statement|card account bank|discount rebate reduction promotion offer
voucher credit coupon gift goodwill compensation|free gratis complimentary
broken damaged defective faulty shattered cracked smashed defect|fix repair solve resolve cure remedy correct
fail crash break stop drop down malfunction fault|work function run operate usable
error fault bug defect problem issue message mistake|cause reason source because since due owing culprit
outage incident disruption downtime interruption|drop disconnect lose break interrupt|slow delay late lag behind
fast quick quickly soon prompt|restart reboot reset|update upgrade version release patch
install installation set setup reinstall|delete remove erase clear empty wipe drop
add attach append include insert put|change alter modify edit switch move swap adjust
replace replacement swap exchange substitute new|send ship dispatch post mail deliver forward
deliver delivery arrive receive reach turn come get delivered|parcel package box shipment delivery
return send back bring|collect pickup pick collection|lost missing gone vanish disappear|find locate discover turn
wrong incorrect mistaken false erroneous mistake|mail email e-mail message|phone call ring telephone dial
write contact reach reply answer respond message|ask request inquire question want demand seek
need require must have necessary|tell inform notify advise let point|say state claim assert maintain according
confirm verify check prove validate|promise assure guarantee commit pledge undertake
agree accept approve consent grant allow permit|refuse reject decline deny turn down object
offer propose suggest option choice|choose pick select opt decide prefer|plan intend go will aim|try attempt retry
login log sign sign-in access|password credential passcode pin|lock block bar suspend disable barred
unlock unblock enable activate restore reinstate|screen display page window|show display present appear
button link key|file document paper folder|folder directory drive|photo picture image screenshot
laptop computer machine notebook pc device|phone mobile device handset smartphone|router modem box
connection line internet network wifi wireless link|printer device machine|cable wire pair line|text sms message
colleague coworker staff employee worker manager|manager boss supervisor
technician engineer installer fitter contractor|carrier courier shipper
company firm business organization organisation|shop store seller vendor merchant|provider operator supplier
owner holder proprietor|doctor physician|family guest people person adult child
employee staff person people worker member|bring take carry|hold keep retain leave|stay remain keep still
wait await pending outstanding|open unresolved pending outstanding|close shut finish end complete|start begin commence
finish complete done end ready|happen occur take|expect due await anticipate|reach arrive get come|go leave depart
move relocate shift transfer|early soon before ahead prior|late after afterwards later|day daily|week weekly
weekend saturday sunday|morning early|evening night tonight|noon midday|today day|half fifty
double twice two duplicate|single one only sole|several multiple many more
all every whole entire full complete everything|part partial some|extra additional more surplus further
less fewer reduce lower decrease cut fall drop|more increase raise higher rise|limit cap maximum restrict
exceed over above|below under beneath|enough sufficient|size dimension measurement|big large huge|small little tiny
new fresh|old former previous earlier outdated prior|first initial initially originally original
last final latest finally|next following upcoming|same identical equal
other another else different elsewhere alternative|correct right true accurate
sorry apology apologize apologise regret|thank grateful appreciate|happy pleased glad satisfied content
angry annoyed upset furious frustrated complain|worried concerned anxious|complain complaint object dispute
dispute chargeback contest challenge|threaten warn|exception waiver|address street location place
house home flat apartment|room bed accommodation|hotel pension lodging|book reserve reservation booking
trip journey travel tour excursion|flight plane airline fly|train rail|ticket booking fare|passport id identity
luggage suitcase baggage|car vehicle|park parking|taxi cab|breakfast meal|key code|gift present|seal closure
lid cover cap|warehouse stock depot|stock available inventory|available free stock|sold out|label tag sign mark
tracking shipment|customs duty|tax vat|reverse revert undo overturn|mix confuse mistake|log record history protocol
backup copy snapshot|restore recover reinstate|print printing|paper sheet|color colour|side page|page sheet|jam stuck
stick stuck jam|clean clear wash|test try check trial|measure measurement reading|signal|light lamp
setting option configuration|feature function option|report notice flag raise|raise escalate pass forward hand
escalate refer|investigate investigation look examine inquiry check analyze|reproduce replicate|aware known know
see view look notice spot|read|hear listen|speak talk discuss|understand realize|inactive greyed disabled grayed
active enabled on|use usage used consume|store storage keep save stored|space storage room|export download extract
import upload load|upload submit hand send attach|submit file hand provide send give|give provide supply hand grant
lend loan borrow|sell sale|salary wage pay payroll|approval permission approve consent authorization
authorize authorise entitlement authentication authorization|sign signature|form application|apply valid hold count
valid effective|expire end lapse run|deadline due date until|until till by
temporary stopgap interim provisional bridge|permanent good lasting|reminder notice notification alert warning
warning notice|customer client guest|member user|team department staff|legal law lawyer|policy terms condition rule
condition term|instead rather replace|also too well|without lack|lack miss missing without absent
visible see appear show|appear show visible|intact fine undamaged perfect whole|fine ok okay good well
suit convenient fit|fit size suit|appointment visit slot date|visit appointment come|slot appointment window|birthday
trial test|trash bin deleted|data information|info information detail details|difference remainder remaining rest
remaining rest left|total altogether sum overall|balance amount money|money cash funds amount payment|cash money
euro eur|dollar usd|pound gbp|percent percentage|hour hours|minute minutes|deny contradict dispute
proof evidence receipt|receipt invoice proof|photo proof|video footage camera|contain include hold|cover include
exclude except|secure security safe|hack intruder attacker fraud|fraud scam phishing|suspicious fraudulent
infection virus malware clean infected|employee leaver|quit leave|share sharing|wife husband spouse partner
mother father parent|child kid son daughter|sister brother sibling|school class|car auto|reach contact call
return come back|back return|afford|worth value|cheap low|expensive costly|loud noise|hot warm heat|cold cool
water leak|leak drip|pump|heater heating boiler|landlord tenant|tenant renter|rent lease rental tenancy
lease contract rental|doctor appointment|prescription medicine|insurance policy cover coverage|claim demand
balance credit|transfer send wire remit|mistype typo misspell misspelled misspelling|name spelling|letter character
spell write|given first|forename given|oversee miss overlook skip ignore|overlook skip miss|insist require
shortly soon|unsuccessful failed|consultant adviser advisor|adviser advisor consultant|deduct withhold minus deduction
postage shipping freight|fragment piece pieces|basket cart|code coupon
""".strip().replace("\n", "|")

_OPPOSITES = """
open close|open solve|work fail|work break|accept refuse|accept reject|accept decline|approve reject|approve decline
approve refuse|grant deny|refund charge|before after|on off|enable disable|active inactive|add remove|more less
increase decrease|raise lower|rise fall|above below|over under|first last|early late|cheap expensive|valid invalid
valid expire|correct wrong|right wrong|success failure|succeed fail|online offline|connect disconnect|lock unlock
block unblock|start stop|begin end|start end|send receive|buy sell|lend borrow|arrive depart|arrive leave|cash card
in out|full empty|full partial|all none|everyone nobody|always never|everything nothing|free charge|free paid
paid unpaid|intact broken|intact damaged|undamaged damaged|stable unstable|possible impossible|able unable
available unavailable|agree disagree|allow forbid|allow prohibit|permit forbid|allow block|find lose|keep return
keep discard|restore delete|move delete|cancel confirm|cancel keep|cancel renew|continue stop|resolve persist
solve persist|better worse|improve worsen|fast slow|public private|internal external|new used|new old|same different
single double|one both|temporary permanent|optional mandatory|required optional|include exclude|known unknown
expected unexpected|manual automatic|upgrade downgrade|install uninstall|push pull|upload download|import export
win lose|pass fail|happy angry|satisfied dissatisfied|pleased angry|calm angry|stay leave|stand overturn|withdraw open
withdraw continue|withdraw way|complete pending|complete incomplete|done pending|sent pending|ship stock
deliver missing|deliver lost|receive missing|present absent|visible hidden|employee customer|sender recipient
buyer seller|tenant landlord|morning evening|morning afternoon|day night|left right|front back|up down|minimum maximum
least most|earliest latest|clean dirty|hot cold
""".strip().replace("\n", "|")


@lru_cache(maxsize=1)
def groups_by_stem() -> dict[str, frozenset[int]]:
    """Return for each stem the groups in which it stands."""
    found: dict[str, set[int]] = {}
    for number, group in enumerate(_GROUPS.split("|")):
        for word in group.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@lru_cache(maxsize=1)
def opposites_by_stem() -> dict[str, frozenset[str]]:
    """Return for each stem those that say the opposite; `un-`, `in-` and their kin are told by `is_opposite` as well."""
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES.split("|"):
        one, other = map(stem, pair.split())
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


_PREFIXES = ("un", "in", "im", "dis", "non", "mis")
_LEAST_ROOT = 4


def is_opposite(one: str, other: str) -> bool:
    """Tell whether two stems shut each other out: by the table, or because one is the other with a negating prefix."""
    if other in opposites_by_stem().get(one, ()):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= _LEAST_ROOT and any(long == prefix + short for prefix in _PREFIXES)
