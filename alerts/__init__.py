"""Ground floor: what a bad answer means and what happens to it. Pure, except for `alerts.ledger`."""

import zoneinfo

# The locked tzdata decides on every machine. A system's own zone data may be years older, and then we phone people
# at an hour that their law no longer calls by that name. Here, because whatever asks for a zone imports this first.
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()
