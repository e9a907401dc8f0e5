"""JSON routes about compare, under /api/compare."""

from typing import Any

from fastapi import APIRouter


def router(studio: Any) -> APIRouter:
    """The routes of this subject."""
    return APIRouter(prefix="/api/compare", tags=["compare"])
