"""Training: what is asked for, checked, started and watched; models that come in; what this machine has."""
