"""Fixtures of the tests about rounds."""

import pytest

from storage.home import Home
from studio.settings import Settings


@pytest.fixture
def home_settings(home: Home) -> Settings:
    """Settings of the test's home."""
    return Settings.from_env({}, home=home.path)
