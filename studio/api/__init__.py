"""JSON routes under /api: one module a subject, each with `router(studio) -> APIRouter`."""
