"""The real parts that stories run against: a broker, a database, real answers."""
