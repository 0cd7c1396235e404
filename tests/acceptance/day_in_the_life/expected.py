"""The day in the life on paper: its policy, its customers, and everything that must have come of it, worked out by hand.

All times are UTC. Saturday, 27 March 2027, and Easter Sunday, 28 March, on which London goes from GMT to BST at 01:00.

    may be phoned        Saturday            Sunday
    Sydney    (+11)      until 09:00         from Sat 22:00 to 09:00
    Kolkata   (+5:30)    03:30 - 14:30       03:30 - 14:30
    London    (+0, +1)   09:00 - 20:00       08:00 - 19:00
    New York  (-4)       13:00 - 24:00       13:00 - 24:00
"""

from __future__ import annotations

from typing import Any, NamedTuple

POLICY = """
name: a day in the life
scoring:
  reasons:
    - {name: segment, when: {segments: [gold]}}
    - {name: asked_for_a_call, when: {comment_mentions: [call me]}}
routing:
  default: general
  routes:
    - {when: {segments: [gold]}, queue: premium}
    - {when: {queues: [billing]}, queue: billing}
queues:
  - {name: general, zone: Europe/London}
  - {name: billing, zone: Europe/London, calendar: office}
  - {name: premium, zone: America/New_York}
calendars:
  office:
    zone: Europe/London
    weekly: {mon: [09:00-17:00], tue: [09:00-17:00], wed: [09:00-17:00], thu: [09:00-17:00], fri: [09:00-17:00],
             sat: [09:00-12:00]}
    holidays: [2027-03-29]
order:
  lift_minutes: {asked_for_a_call: 60}
causes:
  skill: [knowledge, courtesy, listening, other]
  operations: [billing, delivery, outage, pricing, process, other]
checklist: [apologised, acknowledged_tenure, acknowledged_feelings, fixed_or_owner_named]
"""

# What the policy's figures come to for an answer that opens its callback on Saturday at 08:50-08:53:
#
#     queue     rated  first attempt due   steps of it at 50 %, 100 %, 150 %   counted in
#     general   1      10:00               09:30  10:00  10:30                 London's calling hours, from 09:00
#     general   2      13:00               11:00  13:00  15:00
#     billing   1      10:00               09:30  10:00  10:30                 the office, closed on Sunday and Easter Monday
#     billing   2      Tuesday 09:00       11:00  Tuesday 09:00, 11:00         180 min of Saturday, 60 of Tuesday (BST)
#     premium   1      14:00               13:30  14:00  14:30                 New York's calling hours, from 13:00
#     premium   2      17:00               15:00  17:00  19:00
#
# Then contact, due on Sunday at 08:50-08:53, with steps at Saturday 20:50, Sunday 08:50 and 20:50; each step once in all.


class Person(NamedTuple):
    """`wave`: the burst comes in four, at 08:50, 08:51, 08:52 and 08:53, each answer three minutes old."""

    zone: str
    wave: int
    rating: int
    billing: bool = False
    segment: str | None = None
    language: str = "en"
    comment: str | None = None


ZONES = {  # and what telephone numbers begin with there
    "Europe/London": "+4420794600",
    "America/New_York": "+121255501",
    "Asia/Kolkata": "+9133224800",
    "Australia/Sydney": "+612555001",
}
LONDON, NEW_YORK, KOLKATA, SYDNEY = ZONES

PEOPLE = {
    "ada": Person(LONDON, 3, 1, segment="gold"),
    "bea": Person(LONDON, 1, 1, billing=True),
    "cy": Person(LONDON, 1, 2),
    "dot": Person(LONDON, 1, 2, billing=True),
    "eli": Person(LONDON, 3, 1, comment="Please call me."),
    "fay": Person(LONDON, 4, 2),
    "gus": Person(LONDON, 1, 5),
    "hal": Person(LONDON, 2, 4),
    "ivy": Person(LONDON, 3, 3),
    "jon": Person(LONDON, 4, 5),
    "kit": Person(NEW_YORK, 4, 1, segment="gold"),
    "lou": Person(NEW_YORK, 2, 2, segment="gold"),
    "mae": Person(NEW_YORK, 4, 1),
    "ned": Person(NEW_YORK, 2, 2),
    "oda": Person(NEW_YORK, 3, 2),
    "pam": Person(NEW_YORK, 3, 1, billing=True),
    "quinn": Person(NEW_YORK, 1, 2, segment="gold"),
    "roy": Person(NEW_YORK, 2, 3),
    "sue": Person(NEW_YORK, 1, 4),
    "tom": Person(NEW_YORK, 4, 5),
    "anil": Person(KOLKATA, 3, 1, language="hi"),
    "bina": Person(KOLKATA, 3, 2, language="hi"),
    "chandra": Person(KOLKATA, 2, 1, billing=True),
    "dev": Person(KOLKATA, 2, 2),
    "esha": Person(KOLKATA, 2, 2, billing=True),
    "farid": Person(KOLKATA, 2, 1, segment="gold"),
    "gita": Person(KOLKATA, 4, 3),
    "hari": Person(KOLKATA, 1, 4),
    "indu": Person(KOLKATA, 4, 5),
    "jaya": Person(KOLKATA, 1, 5),
    "kev": Person(SYDNEY, 1, 1),
    "lily": Person(SYDNEY, 1, 2),
    "max": Person(SYDNEY, 1, 1, segment="gold"),
    "nia": Person(SYDNEY, 3, 2, billing=True),
    "otto": Person(SYDNEY, 2, 2),
    "peg": Person(SYDNEY, 3, 2),
    "rex": Person(SYDNEY, 4, 3),
    "sal": Person(SYDNEY, 2, 4),
    "tess": Person(SYDNEY, 4, 5),
    "una": Person(SYDNEY, 3, 5),
}
WITHOUT_NUMBER = "nia"
NEW_NUMBERS = {"dev": "+919830012345", "esha": "+919830012346", "nia": "+61270101234"}


def customer(name: str) -> dict[str, Any]:
    """The customer as answers tell of them."""
    person = PEOPLE[name]
    number = f"{ZONES[person.zone]}{list(PEOPLE).index(name):02}"
    facts = {"phone": number, "time_zone": person.zone, "language": person.language, "segment": person.segment}
    return {"id": name, **facts, **({"phone": None} if name == WITHOUT_NUMBER else {})}


class Row(NamedTuple):
    """One callback at the end, Sunday 13:08. `targets`: of first attempt, contact and resolution; `-` is undecided."""

    ended: str  # closed reason or outcome; the state of one that is open
    queue: str
    priority: int
    attempts: str
    targets: str
    flags: str = ""
    promise: str = ""
    cause: str = ""


# By the event that opened it.
CALLBACKS = {
    # -- general
    "anil-1": Row("partly_recovered", "general", 2, "connected", "met met met", cause="skill/courtesy"),
    "bina-1": Row("recovered", "general", 3, "connected", "met met met", cause="skill/knowledge"),
    # badly again on Sunday: anew; she asked to be called on Monday
    "bina-2": Row("scheduled", "general", 2, "connected", "met met -", promise="open"),
    # left a voicemail on Saturday morning, so next day, and not at that time of day: contact a day and an hour late
    "cy-1": Row(
        "recovered", "general", 3, "voicemail connected", "met missed met", "escalated", cause="operations/pricing"
    ),
    # a dead number that the lead mended, so no flag is left
    "dev-1": Row("recovered", "general", 3, "invalid_number connected", "met met met", cause="operations/delivery"),
    # 1, and asked for a call: severity 90, so priority 1
    "eli-1": Row(
        "recovered", "general", 1, "connected connected", "met met met", promise="kept", cause="operations/billing"
    ),
    # a 2 of priority 3, joined by a 1 of priority 2; the third failure gives up contact and resolution
    "fay-1": Row("unreachable", "general", 2, "no_answer busy no_answer", "met missed missed"),
    # only the revision from 5 to 1 opened it
    "jon-2": Row("recovered", "general", 2, "connected", "met met met", cause="skill/listening"),
    # resolved without success, reopened by the lead: fresh targets, attempts are counted on, no step was due since
    "kev-1": Row(
        "recovered", "general", 2, "voicemail connected connected", "met met met", "reopened", cause="skill/courtesy"
    ),
    # overnight voicemail: Monday, when Sydney is not within two hours of 09:12
    "lily-1": Row("waiting", "general", 3, "voicemail", "missed missed -", "escalated"),
    # New York opens at 13:00, three hours after the target; nobody kept the promise of Saturday 23:00
    "mae-1": Row(
        "not_recovered",
        "general",
        2,
        "connected connected",
        "missed met met",
        "escalated",
        "broken",
        "operations/process",
    ),
    # the target was 13:00, which is when New York opens
    "ned-1": Row("waiting", "general", 3, "no_answer", "missed missed -", "escalated"),
    "oda-1": Row(
        "partly_recovered", "general", 3, "busy connected", "missed met met", "escalated", cause="operations/outage"
    ),
    # called in, or changed the mind, after the first step at 11:00 and before the target at 13:00
    "otto-1": Row("customer_called_in", "general", 3, "", "- - -", "escalated"),
    "peg-1": Row("rerated", "general", 3, "", "- - -", "escalated"),
    # moved from billing at 12:03, all steps and the first target long past
    "pam-1": Row(
        "partly_recovered", "general", 2, "connected", "missed met met", "escalated", cause="operations/billing"
    ),
    "sue-2": Row("leased", "general", 3, "", "- - -"),
    # -- billing
    "bea-1": Row("partly_recovered", "billing", 2, "connected", "met met met", cause="operations/outage"),
    "chandra-1": Row("recovered", "billing", 2, "busy connected", "met met met", cause="operations/billing"),
    # refused on Saturday, which is contact; welcome on Sunday at 09:00 BST
    "dot-1": Row("information_only", "billing", 3, "refused connected", "met met met", cause="skill/listening"),
    # told that she had called in while Ann was on the phone; the new number took the flag of the bad one away
    "esha-1": Row(
        "information_only",
        "billing",
        3,
        "wrong_person connected",
        "met met met",
        "customer_called_in",
        cause="operations/billing",
    ),
    # the target is on Tuesday, half of it passed on Saturday at 11:00
    "nia-1": Row("recovered", "billing", 3, "connected", "met met met", "escalated", cause="operations/billing"),
    # -- premium: gold is a reason, so a 1 has severity 90 and priority 1; a 2 has 70 and stays 3
    "ada-1": Row("recovered", "premium", 1, "connected connected", "met met met", "", "late", "skill/knowledge"),
    "farid-1": Row("recovered", "premium", 1, "connected", "met met met", cause="operations/billing"),
    # refusing is contact; the resolution was not due yet
    "kit-1": Row("opted_out", "premium", 1, "refused", "met met -"),
    "lou-1": Row("recovered", "premium", 3, "connected", "met met met", cause="operations/outage"),
    # half of the contact's 24 hours passed at 20:50
    "max-1": Row(
        "not_recovered", "premium", 1, "no_answer connected", "met met met", "escalated", cause="skill/courtesy"
    ),
    "quinn-1": Row("opted_out", "premium", 3, "", "- - -"),
}

COUNTERS: dict[str, dict[str, float]] = {
    # 40 of the burst, and 8 more: fay-2, peg-2, jon-2, lou-2, quinn-2, ada-1 once more, bina-2, sue-2
    "responses_total": {"bottom/cloudevents": 31, "middle/cloudevents": 4, "top/cloudevents": 12},
    "callbacks_opened_total": {"general": 16, "billing": 6, "premium": 6},
    "callbacks_joined_total": {"general": 1, "premium": 1},
    "callbacks_closed_total": {  # queue/reason
        "general/resolved": 11,  # kev twice, and pam who was moved here
        "general/unreachable": 1,
        "general/customer_called_in": 1,
        "general/rerated": 1,
        "billing/resolved": 5,
        "premium/resolved": 4,
        "premium/opted_out": 2,
    },
    "attempts_total": {  # queue/result
        "general/connected": 14,
        "general/voicemail": 3,
        "general/no_answer": 3,
        "general/busy": 2,
        "general/invalid_number": 1,
        "billing/connected": 5,
        "billing/busy": 1,
        "billing/refused": 1,
        "billing/wrong_person": 1,
        "premium/connected": 5,
        "premium/no_answer": 1,
        "premium/refused": 1,
    },
    "targets_total": {  # priority/queue/result/target
        "1/general/met/first_attempt": 1,  # eli
        "1/general/met/contact": 1,
        "1/general/met/resolution": 1,
        "2/general/met/first_attempt": 6,  # anil, kev, kev again, fay, jon, bina again
        "2/general/missed/first_attempt": 1,  # mae
        "2/general/met/contact": 7,  # anil, kev, kev again, jon, pam, mae, bina again
        "2/general/missed/contact": 1,  # fay
        "2/general/met/resolution": 6,  # the same without bina
        "2/general/missed/resolution": 1,  # fay
        "3/general/met/first_attempt": 3,  # cy, dev, bina
        "3/general/missed/first_attempt": 3,  # ned, oda, lily
        "3/general/met/contact": 3,  # dev, bina, oda
        "3/general/missed/contact": 3,  # cy, ned, lily
        "3/general/met/resolution": 4,  # cy, dev, bina, oda
        "2/billing/met/first_attempt": 2,  # bea, chandra
        "2/billing/missed/first_attempt": 1,  # pam, before she was moved
        "2/billing/met/contact": 2,
        "2/billing/met/resolution": 2,
        "3/billing/met/first_attempt": 3,  # dot, esha, nia
        "3/billing/met/contact": 3,
        "3/billing/met/resolution": 3,
        "1/premium/met/first_attempt": 4,  # ada, farid, kit, max
        "1/premium/met/contact": 4,
        "1/premium/met/resolution": 3,  # not kit
        "3/premium/met/first_attempt": 1,  # lou
        "3/premium/met/contact": 1,
        "3/premium/met/resolution": 1,
    },
    "promises_total": {"general/kept": 1, "general/broken": 1, "premium/late": 1},
    "escalations_total": {  # queue/step
        "general/owner": 8,  # mae 09:30; lily, ned, oda, otto, peg 11:00; cy, kev 20:50
        "general/lead": 5,  # mae 10:00; lily, ned, oda 13:00; cy on Sunday at 08:50
        "general/manager": 3,  # mae 10:30; lily, oda 15:00
        "billing/owner": 2,  # pam 09:30; nia 11:00
        "billing/lead": 1,
        "billing/manager": 1,
        "premium/owner": 1,  # max 20:50
    },
    "resolutions_total": {  # kind/outcome/queue
        "skill/partly_recovered/general": 1,  # anil
        "skill/recovered/general": 3,  # bina, jon, kev again
        "operations/recovered/general": 3,  # eli, dev, cy
        "operations/partly_recovered/general": 2,  # pam, oda
        "operations/not_recovered/general": 2,  # kev, mae
        "operations/partly_recovered/billing": 1,
        "operations/recovered/billing": 2,  # chandra, nia
        "operations/information_only/billing": 1,
        "skill/information_only/billing": 1,
        "operations/recovered/premium": 2,  # farid, lou
        "skill/recovered/premium": 1,
        "skill/not_recovered/premium": 1,
    },
    "leases_expired_total": {"billing": 1},
    "skips_total": {"general/knows_customer": 1, "general/other": 1},
    "attempts_outside_window_total": {},
    "dead_letters_total": {},
}

OUTCOMES = {"bottom_box": 30, "not_bottom_box": 16, "suppressed": 1, "duplicate": 1}

GAUGES: dict[str, dict[str, float]] = {
    "callbacks": {"general/waiting": 2, "general/leased": 1, "general/scheduled": 1},
    "callbacks_overdue": {"general/contact": 2},
}


class Waited(NamedTuple):
    """How long a customer waited, in minutes: (wall, callable). `wall` began with the answer."""

    claim: tuple[int, int]
    first_attempt: tuple[int, int] | None = None
    contact: tuple[int, int] | None = None
    resolution: tuple[int, int] | None = None


# Answers are from 08:47, 08:48, 08:49, 08:50 by wave. Callable minutes begin in London at 09:00, in New York at 13:00;
# in Kolkata and Sydney with the answer, and Sydney's stop at 09:00 and go on at 22:00.
DURATIONS: dict[str, list[Waited]] = {
    "general": [
        Waited((6, 6), (7, 7), (7, 7), (8, 8)),  # anil: claimed 08:55, called 08:56, resolved 08:57
        Waited((34, 34), (35, 35), (35, 35), (35, 35)),  # bina: 09:23, 09:24
        Waited((6, 6), (7, 7), (7, 7)),  # bina again: Sunday 03:56, 04:02, 04:03
        # cy: 09:03, 09:06; reached on Sunday at 10:11: 25 h 24; 660 callable minutes of Saturday and 131 of Sunday
        Waited((16, 3), (19, 6), (1524, 791), (1524, 791)),
        Waited((35, 35), (36, 36), (173, 173), (173, 173)),  # dev: 09:23, 09:24, 11:41
        Waited((14, 3), (17, 6), (17, 6), (137, 126)),  # eli: 09:03, 09:06, 11:06
        Waited((45, 35), (46, 36)),  # fay: 09:35, 09:36
        Waited((4, 4), (6, 6), (6, 6), (6, 6)),  # jon: revised at 11:57; 12:01, 12:03
        Waited((8, 8), (12, 12), (805, 25), (805, 25)),  # kev: 08:55, 08:59; 22:12 is 13 h 25; 13 and 12 minutes
        Waited((2, 2), (3, 3), (3, 3), (3, 3)),  # kev again: reopened on Sunday at 04:00; 04:02, 04:03
        Waited((803, 23), (805, 25)),  # lily: 22:10, 22:12
        # mae: 13:06, 13:08; resolved on Sunday at 13:08: 28 h 18; 660 callable minutes of Saturday and 8 of Sunday
        Waited((256, 6), (258, 8), (258, 8), (1698, 668)),
        Waited((258, 6), (260, 8)),  # ned: 13:06, 13:08
        Waited((361, 110), (374, 123), (395, 144), (395, 144)),  # oda: 14:50, 15:03, 15:24
        Waited((257, 6), (259, 8), (259, 8), (259, 8)),  # pam: 13:06, 13:08
        Waited((4, 4)),  # sue: Sunday 13:02, 13:06
    ],
    "billing": [
        Waited((19, 6), (37, 24), (37, 24), (37, 24)),  # bea: first claimed 09:06, called 09:24
        Waited((7, 7), (8, 8), (36, 36), (36, 36)),  # chandra: 08:55, 08:56, 09:24
        # dot: 09:35, 09:36; resolved on Sunday at 08:03: 23 h 16; 660 callable minutes of Saturday and 3 of Sunday
        Waited((48, 35), (49, 36), (49, 36), (1396, 663)),
        Waited((47, 47), (48, 48), (173, 173), (173, 173)),  # esha: 09:35, 09:36, 11:41
        Waited((801, 21), (803, 23), (803, 23), (803, 23)),  # nia: 22:10, 22:12
    ],
    "premium": [
        Waited((14, 3), (17, 6), (17, 6), (93, 82)),  # ada: 09:03, 09:06, 10:22
        Waited((7, 7), (8, 8), (8, 8), (9, 9)),  # farid: 08:55, 08:56, 08:57
        Waited((256, 6), (258, 8), (258, 8)),  # kit: 13:06, 13:08
        Waited((258, 6), (260, 8), (260, 8), (262, 10)),  # lou: 13:06, 13:08, 13:10
        Waited((8, 8), (9, 9), (805, 25), (805, 25)),  # max: 08:55, 08:56, 22:12
    ],
}
