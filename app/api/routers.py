"""Every noun of the REST interface, in the order in which it is asked whether a path is its own."""

from __future__ import annotations

from app.api import contacts, customers, dead_letters, ledger, policy, queues, responses, source_events, survey_events
from app.api.callbacks import claiming, reading, supervising, working
from app.api.http import docs
from app.api.insights import answers, forecasting, people, wall
from app.api.insights import callbacks as insight_callbacks
from app.api.learning import actions, problems, signals

# The order decides: what has a name of its own (`/callbacks/claim`) comes before what has an id there.
CALLBACKS = (claiming, supervising, reading, working)
LEARNING = (actions, signals, problems)
NOUNS = (*CALLBACKS, *LEARNING, queues, contacts, customers, responses, ledger, dead_letters, policy)
INSIGHTS = (answers, insight_callbacks, forecasting, people, wall)
EVENTS = (survey_events, source_events)

ROUTERS = tuple(noun.router for noun in (*NOUNS, *INSIGHTS, *EVENTS, docs))
