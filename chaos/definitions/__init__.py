"""The background tasks of the drill, as an operator's package has its own: web and workers find them by its name."""

from chaos.definitions import branching, counting

__all__ = ["branching", "counting"]
