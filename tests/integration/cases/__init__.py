"""What people who do this job have reported elsewhere, told in our own words: each story has the right value of its case."""
