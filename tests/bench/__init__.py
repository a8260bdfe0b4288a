"""What a call costs, as ratios measured side by side in one run: `python -m tests.bench`."""
