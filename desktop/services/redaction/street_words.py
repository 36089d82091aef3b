"""Street words: what streets are called, by where the word stands in the custom of a country."""

from __future__ import annotations

BETWEEN = frozenset(
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct way place pl square sq terrace ter close crescent cres"
    " parkway pkwy highway hwy circle cir trail trl"
    " row mews gardens grove walk wharf alley loop hill nagar marg salai colony layout enclave vihar chowk bazar bazaar sarani"
    " crossing ridge point park plaza path pike route"
    " rise green parade esplanade quay view heights meadows estate brae vale turnpike expressway freeway bypass fork"
    " forges streets sector society causeway broadway".split()
)
"""Number, name, word: *12 Harrow Lane*."""

ENDINGS = (
    "straße", "strasse", "gasse", "platz", "allee", "chaussee", "damm", "ufer", "promenade",
    "straat", "laan", "plein", "gracht", "kade", "dijk", "singel", "dreef", "steeg",
    "gatan", "vägen", "gata", "väg", "gränd", "torget", "stigen", "gaten", "veien", "vei", "vegen", "gade", "vej", "vænge", "vænget",
    "stræde", "stræti", "terrasse",
    "katu", "kuja", "polku", "kaari", "puiestee", "maantee", "vegur", "braut", "stígur", "gatvė", "gatve", "prospektas", "iela",
    "utca", "útja", "körút", "krt", "sokak", "sok", "caddesi", "cad", "bulvarı", "mahallesi", "ulice",
)  # fmt: skip
"""Name, word (mostly in one), number: *Lindenstraße 14a*, *Storgatan 12*, *Kossuth Lajos utca 12*."""

WEAK_ENDINGS = (
    "weg", "ring", "steig", "graben", "markt", "stieg", "kamp", "berg", "hof", "tor", "str", "pad", "baan", "plan", "gate", "plass",
    "torv", "tie", "rinne", "út", "tér", "tere", "mah",
    "brücke", "park", "burg", "feld", "garten", "höhe", "wall", "zeile", "winkel", "wiese",
)  # fmt: skip
"""Endings of other words as well (*Monitor 27*, *During 2017*): a place must follow, or something must say that this is an address."""

BEFORE = frozenset(
    "rue avenue av ave boulevard bd bld place chemin impasse allée allées quai route cours square passage faubourg sentier esplanade ruelle"
    " calle c avda avenida plaza pza paseo pº carrera cra camino ronda travesía glorieta calzada callejón carretera ctra diagonal jirón jr"
    " rua r travessa alameda praça rodovia largo estrada ladeira calçada"
    " via viale piazza corso vicolo piazzale strada lungomare lungotevere contrada salita borgo"
    " ul ulica al aleja aleje os osiedle pl plac rondo nám náměstí třída tř trg cesta str bulevardul calea șos aleea"
    " ул улица вул вулиця пр пр-т просп проспект пер переулок бул бульвар наб набережная шоссе пл площадь οδός οδού λεωφόρος λεωφ".split()
)
"""Word, name, number: *Calle Mayor 23*; in French the number stands before all: *18 rue de la République*."""

NUMBER_FIRST = frozenset(
    "rue avenue av ave boulevard bd bld place chemin impasse allée allées quai route cours square passage faubourg sentier esplanade ruelle".split()
)

ABBREVIATED = frozenset("c r av al os pl ul str pr tř пр ул вул пер пл бул наб jr bd cra".split())
"""Words of `BEFORE` that need a full stop or slash to be one."""

PREPOSITIONS = frozenset("am an im in zum zur unter hinter vor auf".split())
"""How German streets begin that have no word for it, *Am Alten Markt 7*; a code and city must follow."""

NO_STREETS = frozenset(
    "der die das den dem des ein eine im am zum zur vom beim het een de la le les el los il lo the this that our your"
    " order invoice ticket version seite page kapitel".split()
)
"""What stands before *Platz* or *plein* when it is no street's name."""

NO_NAMES_OF_STREETS = frozenset(
    "on the in at and of per for with from to is are was were or by as people users items hours days minutes weeks months years times"
    " more other different new open free about after"
    " before this that our your my their still not no".split()
)

STATES = (
    "AL AK AZ AR CA CO CT DC DE FL GA HI ID IL IN IA KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN"
    " TX UT VA VT WA WI WV WY"
    " AB BC MB NB NL NS ON PE QC SK NSW VIC QLD TAS ACT NT SP RJ MG RS PR BA CE PE GO DF ES SC"
).split()

CITIES = (
    "berlin hamburg münchen köln frankfurt stuttgart düsseldorf dortmund essen leipzig bremen dresden hannover nürnberg duisburg"
    " bochum wuppertal bielefeld bonn münster karlsruhe"
    " mannheim augsburg wiesbaden wien graz linz salzburg innsbruck zürich genève basel bern lausanne paris marseille lyon toulouse"
    " nice nantes strasbourg montpellier bordeaux"
    " lille rennes reims madrid barcelona valencia sevilla zaragoza málaga murcia palma bilbao alicante roma milano napoli torino"
    " palermo genova bologna firenze bari catania"
    " venezia verona bruxelles antwerpen gent lisboa porto stockholm göteborg malmö oslo bergen københavn aarhus helsinki espoo"
    " tampere praha brno budapest"
).split()
"""Towns whose postal code is one without more being said."""
