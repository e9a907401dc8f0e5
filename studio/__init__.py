"""The web studio: pages, the domain behind them and the command line."""

from studio.studio import Studio

__all__ = ["Studio"]
__version__ = "0.1.0"
