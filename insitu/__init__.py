"""The command line: ``insitu …`` and ``python -m insitu``."""
