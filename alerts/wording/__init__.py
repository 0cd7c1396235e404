"""What people write: languages, countries, names for nobody, and the words of a comment."""
