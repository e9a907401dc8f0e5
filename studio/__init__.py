"""The web studio: pages, the domain behind them and the command line."""

__version__ = "0.1.0"
