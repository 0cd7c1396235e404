"""The ledger's schema, one step after the other. `bottombox migrate` takes it to the newest version."""
