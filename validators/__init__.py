"""The core: frozen facts and the pure functions that judge them.

Standard library only: no pytest, no sockets, no subprocesses, and no clock of its own.
"""
