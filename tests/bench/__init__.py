"""What a call costs, measured side by side in one run: `python -m tests.bench`, or parts of it by name.

Only ratios hold elsewhere: the microseconds are those of one machine on one day. So things to compare are measured in
turns within one run, and a ratio is the median of the ratios of its rounds.
"""
