"""Ready-made suites, usable by path or with ``--pyargs``."""
