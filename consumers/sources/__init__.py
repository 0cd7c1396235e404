"""Where surveys come from: one file per platform says how its events become ours."""
