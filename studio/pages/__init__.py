"""The pages of the studio: one module a page, each with `build(studio) -> None`."""
