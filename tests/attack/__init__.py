"""All the attacks on the promises that we know of: `python -m tests.attack`; the suite runs a short form of each."""
