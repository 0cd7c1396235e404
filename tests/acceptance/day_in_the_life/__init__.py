"""The parts of the story in test_day_in_the_life.py: who plays, on which stage, what happens, what must come of it."""
