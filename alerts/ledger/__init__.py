"""The PostgreSQL tables and the only code in the house that speaks SQL to them."""
