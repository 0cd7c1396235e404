"""What the demo's customers are called, and what they say when something went wrong or went well."""

from __future__ import annotations

import random

NAMES = {
    "en": (
        "Amelia Arthur Beth Callum Daisy Edward Freya George Harriet Isaac Jean Kieran Lucy Martin Nora Oscar Priya Rhys",
        "Ashdown Barlow Crewe Dunmore Eastwood Fairley Garrick Hollis Ingram Kershaw Lockwood Marlow Norwood Okafor Quayle",
    ),
    "de": (
        "Anke Bernd Claudia Dieter Elke Frank Gisela Holger Ines Jonas Katrin Lars Miriam Norbert Petra Sven Ute Yusuf",
        "Ahrens Brandt Dietrich Eberle Falk Gruber Hartwig Jansen Kessler Lorenz Mertens Neubauer Oster Reimann Vogel",
    ),
    "es": (
        "Alba Bruno Carmen Diego Elena Felipe Gloria Hugo Inés Javier Lucía Mateo Nuria Pablo Rocío Sergio Teresa Víctor",
        "Aguirre Benítez Cáceres Duarte Esteban Fuentes Galindo Herrero Iglesias Lozano Montero Navas Osorio Paredes",
    ),
    "fr": (
        "Adèle Bastien Camille Damien Élise Fabien Gaëlle Hervé Inès Julien Laure Maxime Nadia Olivier Pauline Rémi Sonia",
        "Aubert Besson Chevalier Delmas Fabre Garnier Hamel Joubert Lacroix Marchand Noël Perrot Renaud Tessier Vasseur",
    ),
    "pt": (
        "Ana Bernardo Clara Duarte Eduardo Filipa Gustavo Helena Ivo Joana Leonor Marcos Neide Otávio Paula Rui Sofia",
        "Abreu Barbosa Cardoso Duarte Esteves Figueira Gouveia Lacerda Moura Nogueira Pacheco Queirós Teixeira Viana",
    ),
}

COMPLAINTS = {
    "en": {
        "invoice": (
            "I was charged twice for March and nobody can tell me why.",
            "The bill went up by 14 pounds and there was no letter about it.",
            "Third month running that the invoice is wrong.",
        ),
        "delivery": (
            "Parcel still says out for delivery, that was nine days ago.",
            "Driver left it in the rain in front of the wrong door.",
            "I took a day off work and nobody came.",
        ),
        "outage": (
            "No internet since Tuesday and I work from home.",
            "Your engineer closed the fault and the line is still dead.",
            "Every evening at eight it drops, I have reported it five times.",
        ),
        "refund": (
            "You promised my money within five days, it is three weeks now.",
            "I sent it back on the 2nd. Where is my refund?",
            "Told by one person it was paid, by the next that it never was.",
        ),
        "contract": (
            "I was told I could leave any time, now there is a fee.",
            "The price on the phone was not the price in the contract.",
            "Eleven minutes of music and then I was cut off.",
        ),
        "product": (
            "It broke on the second day and the shop sends me to you and you send me to the shop.",
            "Wrong colour, wrong size, and the return label does not scan.",
            "The app has forgotten my account after the update.",
        ),
    },
    "de": {
        "invoice": (
            "Zweimal abgebucht, und am Telefon weiß keiner warum.",
            "Die Rechnung stimmt jetzt im dritten Monat nicht.",
            "Plötzlich 12 Euro mehr, ohne ein Wort der Erklärung.",
        ),
        "delivery": (
            "Das Paket liegt seit einer Woche im Verteilzentrum.",
            "Extra freigenommen, und es kam niemand.",
            "Angeblich zugestellt, aber bei mir ist nichts angekommen.",
        ),
        "outage": (
            "Seit Dienstag kein Internet, und ich arbeite von zu Hause.",
            "Der Techniker war da, jetzt geht gar nichts mehr.",
            "Jeden Abend um acht bricht die Leitung zusammen.",
        ),
        "refund": (
            "Die Gutschrift war für letzte Woche versprochen.",
            "Ware ist zurück, Geld ist keins da.",
            "Jeder am Telefon erzählt mir etwas anderes über mein Geld.",
        ),
        "contract": (
            "Im Laden hieß es monatlich kündbar, im Vertrag stehen zwei Jahre.",
            "Eine Viertelstunde Warteschleife und dann aufgelegt.",
            "Der Preis ist ein anderer als am Telefon vereinbart.",
        ),
        "product": (
            "Nach zwei Tagen kaputt, und keiner fühlt sich zuständig.",
            "Falsche Größe geliefert, das Etikett lässt sich nicht scannen.",
            "Seit dem Update komme ich nicht mehr in mein Konto.",
        ),
    },
    "es": {
        "invoice": (
            "Me han cobrado dos veces y nadie sabe por qué.",
            "Es el tercer mes que la factura viene mal.",
            "La cuota subió sin ningún aviso.",
        ),
        "delivery": (
            "El paquete lleva nueve días en reparto.",
            "Esperé todo el día en casa y no vino nadie.",
            "Dicen que está entregado y aquí no ha llegado nada.",
        ),
        "outage": (
            "Llevo desde el martes sin internet y trabajo desde casa.",
            "El técnico cerró la avería y la línea sigue muerta.",
            "Todas las noches se corta a la misma hora.",
        ),
        "refund": (
            "Me prometieron el reembolso en cinco días y van tres semanas.",
            "Devolví el producto y del dinero ni rastro.",
            "Cada persona me cuenta una historia distinta sobre mi dinero.",
        ),
        "contract": (
            "Me dijeron que podía irme cuando quisiera y ahora hay penalización.",
            "El precio del contrato no es el que me dijeron por teléfono.",
            "Quince minutos de música y me colgaron.",
        ),
        "product": (
            "Se rompió al segundo día y nadie se hace cargo.",
            "Talla equivocada y la etiqueta de devolución no funciona.",
            "Desde la actualización no puedo entrar en mi cuenta.",
        ),
    },
    "fr": {
        "invoice": (
            "Prélevé deux fois, et personne ne sait m'expliquer pourquoi.",
            "Troisième facture fausse de suite.",
            "Le montant a augmenté sans que je sois prévenu.",
        ),
        "delivery": (
            "Le colis est en cours de livraison depuis neuf jours.",
            "J'ai posé une journée et personne n'est venu.",
            "Soi-disant livré, mais je n'ai rien reçu.",
        ),
        "outage": (
            "Plus d'internet depuis mardi alors que je travaille à la maison.",
            "Le technicien a clos le dossier et la ligne est toujours coupée.",
            "Ça coupe tous les soirs à vingt heures.",
        ),
        "refund": (
            "Remboursement promis sous cinq jours, cela fait trois semaines.",
            "Article renvoyé le 2, toujours aucun virement.",
            "Chaque conseiller me raconte autre chose.",
        ),
        "contract": (
            "On m'avait dit sans engagement, et maintenant il y a des frais.",
            "Le prix du contrat n'est pas celui annoncé au téléphone.",
            "Un quart d'heure d'attente puis on m'a raccroché au nez.",
        ),
        "product": (
            "Tombé en panne au bout de deux jours, on se renvoie la balle.",
            "Mauvaise taille et l'étiquette de retour ne marche pas.",
            "Depuis la mise à jour, impossible d'ouvrir mon compte.",
        ),
    },
    "pt": {
        "invoice": (
            "Fui cobrada duas vezes e ninguém sabe explicar.",
            "É o terceiro mês com a fatura errada.",
            "O valor subiu e ninguém me avisou.",
        ),
        "delivery": (
            "A encomenda está há nove dias em distribuição.",
            "Fiquei o dia inteiro em casa e não apareceu ninguém.",
            "Diz que foi entregue e aqui não chegou nada.",
        ),
        "outage": (
            "Sem internet desde terça e eu trabalho em casa.",
            "O técnico fechou o chamado e a linha continua muda.",
            "Cai todas as noites à mesma hora.",
        ),
        "refund": (
            "Prometeram o reembolso em cinco dias e já lá vão três semanas.",
            "Devolvi o produto e o dinheiro nunca voltou.",
            "Cada atendente conta uma história diferente.",
        ),
        "contract": (
            "Disseram que era sem fidelidade e agora há uma multa.",
            "O preço do contrato não é o que me disseram ao telefone.",
            "Quinze minutos de música e a chamada caiu.",
        ),
        "product": (
            "Avariou ao segundo dia e ninguém se responsabiliza.",
            "Tamanho errado e a etiqueta de devolução não funciona.",
            "Depois da atualização não consigo entrar na conta.",
        ),
    },
}

ENDINGS = {
    "en": (
        "",
        "",
        "",
        "Very disappointed.",
        "Please call me.",
        "Cancel my contract, I have had enough.",
        "Not good enough",
    ),
    "de": ("", "", "", "Sehr enttäuscht.", "Ich bitte um Rückruf.", "So kündige ich.", "das geht besser"),
    "es": ("", "", "", "Muy decepcionada.", "Llámenme, por favor.", "Voy a cancelar el contrato.", "una pena"),
    "fr": ("", "", "", "Très déçu.", "Rappelez-moi s'il vous plaît.", "Je vais résilier.", "dommage"),
    "pt": ("", "", "", "Muito desiludida.", "Por favor, me liguem.", "Vou cancelar tudo.", "uma pena"),
}

PRAISES = {
    "en": (
        "Good",
        "Sorted in five minutes, thank you.",
        "Friendly and quick",
        "The young man knew exactly what to do.",
        "ok",
    ),
    "de": ("Gut", "Schnell und freundlich, danke!", "Alles bestens", "Sehr nette Dame, sofort geholfen.", "passt"),
    "es": ("Bien", "Muy amable, lo resolvió al momento.", "Todo perfecto", "gracias", "Rápido y claro."),
    "fr": ("Bien", "Très aimable, problème réglé.", "Rien à dire", "merci", "Rapide et clair."),
    "pt": ("Bom", "Muito simpática, resolveu na hora.", "Tudo certo", "obrigado", "Rápido e claro."),
}


def name(dice: random.Random, language: str) -> str:
    given, family = NAMES[language]
    return f"{dice.choice(given.split())} {dice.choice(family.split())}"


def complaint(dice: random.Random, language: str, reason: str) -> str:
    return f"{dice.choice(COMPLAINTS[language][reason])} {dice.choice(ENDINGS[language])}".rstrip()


def praise(dice: random.Random, language: str) -> str:
    return dice.choice(PRAISES[language])
