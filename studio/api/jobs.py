"""JSON routes about jobs, under /api/jobs."""

from typing import Any

from fastapi import APIRouter


def router(studio: Any) -> APIRouter:
    """The routes of this subject."""
    return APIRouter(prefix="/api/jobs", tags=["jobs"])
