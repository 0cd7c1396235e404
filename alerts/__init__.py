"""Ground floor: what a bad answer means and what happens to it. Pure, except for `alerts.ledger`."""
