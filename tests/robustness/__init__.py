"""Hostile packets and files: damaged ones of the corpus, and ones that are built. `python -m tests.robustness --help`."""
