"""Loads beforehand what the first customer of each country would otherwise have to wait for, half a second in all.

Names, numbering plans and clocks are read when they are first asked for, and then kept. No event loop is to stand still
for that, so a process asks for all of them, in a thread, before it says that it is ready.
"""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers
from phonenumbers import PhoneNumberFormat

from alerts.calling_hours import geography, public_holidays
from alerts.phones.phone import judge
from alerts.policy import Policy
from alerts.wording import country
from alerts.wording.language import read_language
from alerts.wording.plain_text import visible


def prepare(policy: Policy, years: Iterable[int]) -> None:
    """`years`: those whose public holidays the next calls ask for, if the policy keeps any (about half a second each)."""
    country.prepare()
    read_language("en")
    visible("\u200b")
    geography.prepare()
    for region in phonenumbers.SUPPORTED_REGIONS:
        if (example := phonenumbers.example_number(region)) is not None:
            judge(phonenumbers.format_number(example, PhoneNumberFormat.E164), region)
    if policy.keeps_holidays:
        public_holidays.prepare(years)
