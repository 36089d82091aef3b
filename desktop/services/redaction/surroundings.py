"""Surroundings: what the words before a number say of it: an order's, a telephone's, a card's."""

from __future__ import annotations

import re

_OTHER_NUMBERS = (
    "order orders purchase po invoice invoices inv ticket tickets case cases ref refs reference tracking track shipment shipments"
    " parcel sku isbn ean upc gtin imei"
    " serial sn batch lot model part article item product version build release error code flight booking reservation confirmation"
    " transaction contract"
    " policy customer client member membership vat tax rma id ids uuid commit request quote container meter step section page row line"
    " port zip license"
    " licence job run"
    " bestellung bestellnummer auftrag auftragsnummer rechnung rechnungsnummer sendung sendungsnummer artikel artikelnummer"
    " kundennummer vertragsnummer"
    " vertrag aktenzeichen seriennummer vorgang ust-idnr typ fehler chargennummer charge ticketnummer"
    " commande facture colis suivi réf référence dossier devis contrat pedido factura seguimiento envío referencia artículo expediente"
    " contrato nota rastreio"
    " fatura protocolo ordine fattura spedizione articolo pratica rif bestelling bestelnummer factuur ordernummer klantnummer zending"
    " zamówienie zamówienia faktura przesyłka sipariş beställning ordre tilaus objednávka заказ заказа счет счёт накладная παραγγελία الطلب הזמנה"
)
_PHONES = (
    "phone phones ph telephone tel tele mobile mob cell cellphone call calls called calling ring dial fax text txt sms whatsapp signal"
    " telegram landline hotline"
    " reach reachable desk contact registered office home work direct switchboard voicemail callback"
    " telefon telefonnummer handy handynummer mobil mobilnummer rufnummer festnetz durchwahl erreichbar erreichen anrufen rückruf rufen natel anruf"
    " téléphone tél portable fixe appeler appelez appelez-moi joindre joignable rappeler rappelez numéro gsm"
    " llamen llamad llámennos llámenme marcar contactarme contacto contactez contacter rappel appel chiamami chiama chiamata"
    " liga chamar ringa ringede rufe"
    " teléfono telefono tfno tlf móvil movil celular cel llamar llame llámame llámeme fijo whats cellulare chiamare chiamate"
    " chiamatemi fisso recapito"
    " telefoon telefoonnummer mobiel bellen bel belt telefonu komórka kom dzwonić zadzwonić stacjonarny telefone telemóvel tlm ligue"
    " ligar contato zap fone fixo"
    " telefonnr mobilnr puhelin puh matkapuhelin cep telefonszám mobilszám telefonní τηλ τηλέφωνο κινητό тел телефон телефону моб"
    " мобильный звоните номер"
)
_CARDS = (
    "card cards cc visa mastercard amex express maestro discover diners jcb rupay credit debit kreditkarte karte ec-karte carte cb"
    " tarjeta carta creditcard"
    " kaart karta karty cartão kort kortti kártya kart карта карты карту κάρτα"
)
_SAID = {
    **dict.fromkeys(_PHONES.split(), "phone"),
    **dict.fromkeys(_OTHER_NUMBERS.split(), "other"),
    **dict.fromkeys(_CARDS.split(), "card"),
    "#": "other",
    "№": "other",
}
_WHOSE = "my our your his her their new old alternate alternative another other".split()
_PHRASES = dict.fromkeys(
    (
        *(f"{whose} number" for whose in _WHOSE),
        *("number is", "messages to", "message to", "answering at", "line is", "me at", "me on", "us on"),
    ),
    "phone",
)
_NUMBER_WORDS = frozenset("no nr num number nummer numer numéro número numero id code #".split())
"""What may stand between a word and its number: *order number 5512*."""
_WORD = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*|[#№]")
_UNSPACED = re.compile(
    "(?P<phone>電話|携帯|折り返し|手机|手機|电话|聯絡|联系|연락처|전화|휴대폰|핸드폰|جوال|هاتف|رقمك|טלפון|נייד|फोन|मोबाइल|โทร)"
    "|(?P<card>カード|卡|카드|بطاقة|כרטיס|कार्ड)|(?P<other>注文|請求書|追跡|伝票|订单|快递|주문|송장)"
)
_LOOK_BACK = 44
_NEAR = 22
_AT_ONCE = 3


def said_before(text: str, start: int) -> str:
    """Return what the nearest telling word before a number makes of it: *phone*, *card*, *other*, *number* (and no more), or '' when"
    " there is none near."""
    first = max(0, start - _LOOK_BACK)
    before = text[first:start].lower()
    words = list(_WORD.finditer(before))
    for place in range(len(words) - 1, -1, -1):
        word, end = words[place][0], words[place].end()
        kind = _SAID.get(word, "")
        if place:
            earlier = words[place - 1][0]
            kind = _PHRASES.get(f"{earlier} {word}", kind)
            if word in _NUMBER_WORDS and _SAID.get(earlier):
                kind = _SAID[earlier]
            elif word == "is" and earlier in _NUMBER_WORDS and place > 1 and _SAID.get(words[place - 2][0]):
                kind = _SAID[words[place - 2][0]]
        if kind == "other" and (len(before) - end > _NEAR or "." in before[end:].rstrip(" .")):
            # Another number's word tells of what follows it at once, not of a later sentence.
            return ""
        if kind:
            return kind
    if not before.isascii():
        unspaced = [str(found.lastgroup) for found in _UNSPACED.finditer(before)]
        if unspaced:
            return unspaced[-1]
    is_number = bool(words) and words[-1][0] in _NUMBER_WORDS and len(before) - words[-1].end() <= _AT_ONCE
    return "number" if is_number else ""
