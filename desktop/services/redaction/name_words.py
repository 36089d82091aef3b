"""Words around names: what greets, closes and entitles, what is no name at all, and names that are ordinary words too."""

from __future__ import annotations

GREETINGS = frozenset(
    "hi hello hey dear hiya greetings morning afternoon evening thanks thank thx ty cheers welcome"
    " hallo liebe lieber liebes geehrte geehrter sehr moin servus grüezi tag danke"
    " bonjour bonsoir salut cher chère chers merci madame monsieur"
    " hola estimado estimada querido querida buenos buenas gracias apreciado apreciada"
    " ciao gentile egregio egregia caro cara buongiorno buonasera salve grazie spettabile"
    " beste geachte hoi dag goedemorgen goedemiddag bedankt"
    " olá oi prezado prezada caro bom boa obrigado obrigada"
    " witam witaj cześć dzień szanowny szanowna szanowni drogi droga dziękuję"
    " hej hei kära käre bästa kære hejsan tack takk tak moi terve hyvä kiitos ahoj dobrý vážený vážená milý milá tisztelt kedves szia"
    " stimate stimată bună"
    " merhaba sayın selam здравствуйте здравствуй уважаемый уважаемая привет добрый дорогой дорогая спасибо шановний шановна вітаю"
    " добрий γεια αγαπητέ"
    " αγαπητή κύριε שלום היי مرحبا السيد السيدة عزيزي عزيزتي نमस्ते".split()
)
"""First words of a line that greets somebody."""

GREETING_REST = frozenset(
    "good day guten morgen abend herr frau herrn geehrte geehrter mr mrs ms miss mx dr prof sir madam doctor madame monsieur mademoiselle mme mlle m"
    " señor señora señorita sr sra srta don doña días tardes noches signor signora signore sig dott dottor dottoressa ing avv heer"
    " mevrouw meneer dhr mevr"
    " senhor senhora dia tarde noite doutor doutora pan pani panie panu dobry dobrý den pane paní bey hanım bay bayan день господин"
    " госпожа пане κύριε κυρία"
    " σας σου вам вас тебе you so very much many thanks again to vielen dank dir ihnen ihr beaucoup muchas mille tante muito".split()
)
"""What may stand between a greeting and the name."""

TITLES = frozenset(
    "mr mrs ms miss mx dr prof doctor professor herr herrn frau mme mlle monsieur madame mademoiselle señor señora señorita sr sra"
    " srta signor signora sig"
    " dott dottor dottoressa ing avv heer mevrouw meneer dhr mevr senhor senhora pan pani pana panią pane paní sayın господин госпожа"
    " г-н г-жа κύριε κυρία"
    " السيد السيدة мистер sir lord lady mister".split()
)

CLOSERS = frozenset(
    "regards|best regards|kind regards|warm regards|warmest regards|kindest regards|many thanks|thanks|thank you|thanks and regards"
    "|thanks & regards|thanks again"
    "|thanks a lot|thx|ty|cheers|best|all the best|best wishes|sincerely|sincerely yours|yours sincerely|yours|yours truly|yours"
    " faithfully|respectfully|rgds|br"
    "|take care|with best regards|with kind regards|with regards|many thanks and regards|thanks in advance|thank you very much|thank"
    " you in advance|cordially|warmly|love"
    "|mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|freundliche grüße|freundliche grüsse|viele grüße|viele"
    " grüsse|beste grüße|beste grüsse"
    "|liebe grüße|liebe grüsse|schöne grüße|herzliche grüße|mit besten grüßen|mit bestem gruß|grüße|gruß|gruss|mfg|lg|vg|bg|danke"
    "|vielen dank|danke und gruß"
    "|hochachtungsvoll|besten dank|danke im voraus|vielen dank und viele grüße|vielen dank im voraus"
    "|cordialement|bien cordialement|très cordialement|bien à vous|cdt|cdlt|salutations|sincères salutations|salutations distinguées"
    "|amicalement|merci|merci d'avance"
    "|merci beaucoup|à bientôt|respectueusement|meilleures salutations|bonne journée"
    "|saludos|un saludo|saludos cordiales|cordiales saludos|atentamente|atte|gracias|muchas gracias|un cordial saludo|muy atentamente"
    "|un abrazo|gracias y saludos"
    "|cordiali saluti|distinti saluti|saluti|grazie|un saluto|a presto|cari saluti|grazie mille|cordialmente"
    "|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groeten|groet|groetjes|mvg|bedankt"
    "|hartelijke groet|hartelijke groeten|alvast bedankt"
    "|atenciosamente|att|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|obrigado|obrigada|abraços|abraço|um abraço"
    "|grato|grata|cordialmente|muito obrigado|muito obrigada"
    "|pozdrawiam|z poważaniem|z wyrazami szacunku|serdecznie pozdrawiam|dziękuję|pozdrowienia|z pozdrowieniami|pozdrawiam serdecznie"
    "|med vänliga hälsningar|med vänlig hälsning|vänliga hälsningar|vänligen|hälsningar|mvh|tack|med vennlig hilsen|vennlig hilsen"
    "|hilsen|venlig hilsen|med venlig hilsen|tak|takk"
    "|mange tak|terveisin|ystävällisin terveisin|kiitos|s pozdravem|děkuji|s úctou|üdvözlettel|köszönettel|tisztelettel|cu stimă|cu respect|mulțumesc"
    "|saygılarımla|teşekkürler|iyi çalışmalar|selamlar|с уважением|спасибо|всего доброго|з повагою|дякую|με εκτίμηση|ευχαριστώ|בברכה"
    "|תודה|مع التحية|شكرا|تحياتي|مع خالص التحية"
    "|よろしくお願いします|よろしくお願いいたします|よろしくお願い致します|宜しくお願いします|宜しくお願いいたします|どうぞよろしくお願いいたします|以上|敬具|此致|敬礼|谢谢|謝謝|祝好|감사합니다|धन्यवाद|सादर".split(
        "|"
    )
)
"""Lines after which a signature comes, in lower case, without signs at the end."""

ROLE_WORDS = frozenset(
    "support team admin administrator service services customer customers client clients helpdesk help desk agent agents staff sales"
    " billing accounting accounts"
    " info noreply no-reply system bot office department dept care success hr it ops operations engineering marketing management"
    " manager reception group company"
    " user users unknown anonymous anybody everybody everyone all there folks guys sir madam team's community moderator moderators"
    " root guest test tester owner"
    " kundenservice kundendienst kunde kunden kundenbetreuung service-team supportteam support-team damen herren zusammen alle leute"
    " buchhaltung vertrieb"
    " équipe service clientèle client tous toutes mesdames messieurs technique équipo equipo soporte atención cliente clientes todos señores servicio"
    " assistenza clienti servizio tutti signori klantenservice supportteam allemaal iedereen het heren dames equipe suporte atendimento suporte todos"
    " zespół zespol wsparcia obsługa klienta państwo kundtjänst supporten alla kundeservice asiakaspalvelu служба поддержки поддержка команда"
    " お客様 皆様 各位 ご担当者 担当者 サポート 客服 고객 고객님 관리자"
    " hotline internal external queue tier level inc ltd llc gmbh corp ag sa srl bv kg ug co plc pty"
    " bank store shop app web website portal api server network".split()
)
"""Roles, groups and legal forms: whoever is called so is no person here."""

NO_NAMES = frozenset(
    "again back hello hi hey thanks thank you so very much for the this that these those here there any an a we i it its my your our"
    " is are was were be been not no yes"
    " please kindly just still also and or but if when where what who why how in on at to from of by with as about after before since"
    " until sorry unfortunately"
    " regards best kind dear good morning afternoon evening day night monday tuesday wednesday thursday friday saturday sunday january"
    " february march july september"
    " october november december today tomorrow yesterday everything nothing something someone anyone order orders invoice ticket case"
    " number update issue problem"
    " question request account password email e-mail mail phone mobile tel fax website subject date sent cc bcc attached see re fw fwd"
    " windows mac linux iphone android google"
    " microsoft apple amazon outlook chrome firefox excel word teams slack zoom internet english german french spanish server client app"
    " confused happy unable trying having getting using writing still currently new now really only glad afraid aware sure interested"
    " ready done able going looking waiting"
    " required missing optional field form via n/a none null unknown first last full name names surname"
    " can could would should might shall do does did have has had let i'm i've i'll i'd it's we're we've we'll you're that's there's"
    " what's don't can't isn't doesn't didn't won't"
    " world human humans friend friends colleague colleagues mate buddy neighbor neighbour sirs ladies gentlemen wrong already another"
    " both each every few many more most much need needs only other some such than then too very while next check try tried got get"
    " see look want wanted"
    " ich wir sie ihr es das der die den dem ein eine und oder aber nicht kein keine im in am zum zur von vom mit für auf bei nach"
    " seit noch schon bitte danke vielen dank"
    " guten tag morgen abend gibt haben hat ist sind war wird werden kann können ihre ihren mein meine unser unsere gerne leider hallo"
    " grüße gruß freundlichen freundliche"
    " je nous vous il elle le la les un une des du de et ou mais pas ne en au aux avec pour sur dans par est sont bonjour merci votre"
    " notre mon ma cordialement madame monsieur"
    " yo nosotros usted el los las una y o pero no en con para por es son su mi hola gracias buenos buenas días tardes un saludo saludos señor señora"
    " io noi voi lei il lo gli uno una e ma non in con per su è sono buongiorno grazie saluti nessuna"
    " ik wij u het een en of maar niet in met voor op bij van is zijn hallo dank bedankt groet groeten heer mevrouw er nog"
    " eu nós você o os as um uma e mas não em com para por é são olá oi obrigado obrigada bom boa dia tarde noite alguma"
    " ja my pan pani to jest są nie na z do w i czy dzień dobry dziękuję proszę witam hej hei finns det något nytt jag vi tack och är".split()
)
"""Words that are never taken for a name that a greeting, a signature or an introduction gives."""

ORDINARY_NAMES = frozenset(
    "will mark may rose bill grace hope joy faith chance drew jack art rob sue pat dean guy chase hunter summer april june august dawn"
    " crystal ruby pearl amber ivy lily"
    " daisy iris olive holly heather jasmine violet angel star sky rich ernest max victor chip buddy sterling miles cliff brook brooke"
    " reed forest dale glen heath lane marsh"
    " field fields hill hills wood woods stone stones brown black white green gray grey gold golden silver young old long short small"
    " little big poor good best strong price"
    " cost bank banks cash penny church king queen prince knight knights bishop pope abbot page pages book booker case cook baker"
    " butler carter cooper fisher mason miller potter"
    " smith taylor turner walker weaver wright parker porter singer shepherd gardener archer bowman hall house rice bean beans berry"
    " cherry apple bacon lemon flowers rivers"
    " lake pond bridge bridges street park parks camp land winter winters frost snow rain storm day days night weeks monday friday"
    " noel christian frank earl major sergeant"
    " judge justice constable marshal marshall sharp blunt bright swift quick wise savage loving sweet bitter fair grand grant grants"
    " power powers bond law laws hand hands head"
    " foot legg back cross post love lovely peace pleasant moody noble new news newman love ray rays beam light moon sun sunny don jo"
    " al ed bo van mac ali ben lee li an so he"
    " she sung song bell bells horn ring rings hook hooks link links key keys lock locks gates wall walls rooms place square pool"
    " pools wells well waters waller ford fox wolf"
    " bear hawk eagle swan crane finch robin martin nightingale bird byrd crow drake lamb lion hart buck bull bass pike salmon trout"
    " read reader speaker spell spencer store"
    " stores shop deal dealer major minor senior junior blank bunch burns cane carpenter chase chambers clay coal coins coy crisp"
    " cruise cutter dash dew dove duke dyer early"
    " east west north south ends english french german holland france england ireland london paris austin dallas jordan israel chad"
    " india georgia sydney madison charlotte"
    " fine fire fitch flint flood fry glass glover goods graves greene guard harm haven hood hope hopper house huff hunt ice jewel"
    " jolly joiner kidd lawless leaf link locke"
    " lord mann mayor meadows merry mills mint moss mount nail nurse page paige painter palmer pepper pickle piper pitt plant plumber"
    " pool pratt quick rainey reason rhodes rich"
    " rock rode root roper rush sailor sales sand sands sawyer seal service sessions shade shore silk singh skinner slaughter slow"
    " smart speed spring springs square staples"
    " starr steel stewart stock storey strange strand sugar summers table tanner temple test tester thorn tiller trip true trust"
    " tucker usher vance vest wade ward waters way"
    " weed wheeler wild wing winner wine win wish worth yard york zone misty candy carol charity destiny eve ginger harmony honey"
    " joyce kitty gene genes nick"
    " dick randy rusty sandy stormy tori trinity wade mercy melody poppy precious princess robin rowan sage sierra skip"
    " sonny stew storm tad ty trip tripp woody zip pierce peck pitts prior proper rank rein reign crew court craft cash care case cole"
    " colt cannon cannons camp"
    # German
    " koch groß gross lang lange klein kleine kurz kurze jung junge alt alte alter neu neumann weiß weiss schwarz braun grün roth rot"
    " blau sommer winter herbst frühling berg wald"
    " bach stein kaiser könig koenig herzog graf fürst ritter richter bauer fischer jäger schneider schmidt müller weber wagner"
    " zimmermann becker schäfer maurer gärtner"
    " metzger fleischer kellner keller vogel fuchs wolf hahn hase hirsch baum busch blum blume apfel birne nuss kraft stark stolz"
    " fromm reich arm sauer süß engel kirsch linde"
    " horn kern kuhn markt haus hof platz weg straß brand feuer wasser winkler wirt wirth sonntag freitag montag ernst lieb liebe"
    " lieber ehrlich gut gute schön schöne voll leer"
    # French
    " petit petite grand grande blanc blanche noir noire roux rousse brun legrand leblanc bon bonne beau belle fort forte gentil"
    " boucher boulanger berger marchand meunier"
    " mercier pierre rose marguerite colombe aimé fontaine rivière dupont bois forêt lacroix roi leroy prince duc comte marin perle"
    " jardin champs ville dubois dumas pain"
    # Spanish, Portuguese, Italian
    " moreno moreno rubio blanco blanca rojo delgado bravo león leon cruz campo campos flores rosa rosas luz sol paz pilar consuelo"
    " mercedes dolores milagros reyes rey"
    " herrero molina torre torres iglesias castillo calle prado ríos rio vega sierra costa silva santos santo rocha pinto leite ramos"
    " ribeiro ferreira lima carneiro coelho"
    " machado barros nascimento nunes vieira bianchi bianco rossi rosso neri nero greco conti conte costa ferrari fontana gallo galli"
    " leone marino monti riva sala serra testa"
    " villa fiore fiori bruno bello grasso basso longo ricci riccio vera chiara bianca stella viola gioia serena allegra libera"
    # Dutch, Nordic, Polish
    " groot klein bakker visser smit kok kuiper dijk bos berg meer boer jong oude wit zwart bruin prins koning mulder vos haan wolf"
    " storm lies berg lund strand holm sten"
    " lis maj nowak kowal kozioł wilk mazur zając kot sokół wrona król śliwa lipa".split()
)
"""Names that are words too. They count as a name only where they are written like one."""

PARTICLES = frozenset(
    "de da do dos das del della di du des la le les el al bin ibn ben abu von van der den ter ten zu zur vom und y e i und san st jr"
    " sr ii iii iv the of from at for with"
    " av af dr mr mrs ms md phd cpa esq".split()
)
"""Parts of names that name nobody alone."""
