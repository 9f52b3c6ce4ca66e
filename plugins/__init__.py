"""The shell: one module for each outside thing."""
