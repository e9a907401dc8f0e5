"""JSON routes about data, under /api/data."""

from typing import Any

from fastapi import APIRouter


def router(studio: Any) -> APIRouter:
    """The routes of this subject."""
    return APIRouter(prefix="/api/data", tags=["data"])
