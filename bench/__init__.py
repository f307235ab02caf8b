"""Measures this installation on the machine it runs on. docs/bench.md says how to read the figures."""
