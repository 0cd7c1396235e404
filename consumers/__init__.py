"""Everything that runs without being asked: reading survey events, keeping time, carrying news out."""
