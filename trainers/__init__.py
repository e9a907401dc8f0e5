"""Every process that loads a model."""
