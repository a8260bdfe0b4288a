"""The course as a web site that needs no installation: `python -m tests.site out/`."""
