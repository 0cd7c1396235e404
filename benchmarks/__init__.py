"""Measures the service against floors taken in the same run; `python -m benchmarks --help`, and README.md beside this."""
