"""How others would do the same job, each as its own documentation teaches, beside the intake. They do less than it does."""
