"""What is shipped beside the program is true to it."""
