"""Puts the web application together: middleware, static files, JSON routes and the Gradio pages.

From the outside in, a request passes the guard (hosts, origins, limits, headers), the catcher of bugs, the doorman
(who asks), gzip,
CORS for our own address alone (with it in place Gradio leaves CORS to us), the dresser of page HTML, and then
meets a route under /api, a file under /static, or Gradio, which is mounted at "/" and draws the pages.

Importing Gradio takes a second, so it happens inside `build_app`, after its switches are set (`lean_gradio`).
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route

from storage.errors import NotFound
from studio.api.allowed import ELSEWHERE, allowed
from studio.api.errors import CalmErrors, add_error_answers, answer
from studio.assets import Assets, GradioFiles, HashedFiles, ThemeFile
from studio.doorman import Doorman
from studio.pages.api_docs import router as api_docs
from studio.pages.demo import DemoPage
from studio.pages.demo import router as demo_pages
from studio.pages.lean_gradio import import_gradio, without_rehearsals
from studio.pages.people import PlainPages
from studio.pages.people import router as plain_pages
from studio.pages.report_routes import router as reports
from studio.rooted import Rooted
from studio.security import MEGABYTE, Guard, Limits

if TYPE_CHECKING:
    import gradio as gr

    from studio.studio import Studio

T = TypeVar("T")

CACHE_SECONDS = (3600, 24 * 3600)  # look each hour for uploads older than a day
SESSIONS = 200  # Gradio keeps up to 1 MB for each session and 10,000 sessions unless told otherwise


def build_app(studio: Studio) -> FastAPI:
    """The whole web application of one home folder."""
    os.environ.update(gradio_switches(studio))
    import_gradio()
    return in_event_loop(lambda: _built(studio))


def _built(studio: Studio) -> FastAPI:
    with without_rehearsals():
        demo = build_pages(studio)
    return assemble(studio, demo)


def in_event_loop(build: Callable[[], T]) -> T:
    """Build with an event loop running: without one Gradio opens a loop for each of its locks and closes none."""

    async def inside() -> T:
        return build()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(inside())
    return build()


def assemble(studio: Studio, demo: gr.Blocks) -> FastAPI:
    """The application around a set of Gradio pages."""
    assets = Assets(studio.settings.static)
    limits = Limits(upload=studio.settings.max_upload_mb * MEGABYTE)
    rule = [Depends(allowed)]  # asked before each of our routes; Gradio's are the doorman's
    app = FastAPI(title="Ratchet", docs_url=None, redoc_url=None, openapi_url=None, dependencies=rule)
    add_error_answers(app)
    add_middleware(app, studio, assets, demo, limits)
    add_routers(app, studio)
    app.include_router(plain_pages(PlainPages(assets)))
    app.include_router(demo_pages(DemoPage(assets), studio))
    app.include_router(api_docs(PlainPages(assets)))
    app.include_router(reports(studio, assets))
    app.mount("/static", HashedFiles(assets), name="static")
    app.mount("/assets", GradioFiles(), name="assets")
    app.router.routes.append(Route("/theme.css", ThemeFile(lambda: (demo.theme_css, demo.theme_hash))))
    mount_pages(app, demo, limits, studio.settings.root_path)
    return app


def gradio_switches(studio: Studio) -> Mapping[str, str]:
    """What Gradio reads from the environment, and only there."""
    return {
        "GRADIO_ANALYTICS_ENABLED": "False",
        # By default Gradio builds a pandas table of all events after each event; this halves its speed.
        "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000",
        "GRADIO_TEMP_DIR": str(studio.home.uploads / "gradio"),
    }


def build_pages(studio: Studio) -> gr.Blocks:
    """One Gradio application with our pages as its routes."""
    import gradio as gr

    from studio.pages import compare, data, home, models, results, studies, train
    from studio.pages.shell import PAGES

    builders = {
        "/": home.build,
        "/data": data.build,
        "/compare": compare.build,
        "/studies": studies.build,
        "/results": results.build,
        "/models": models.build,
        "/train": train.build,
    }
    demo = gr.Blocks(analytics_enabled=False, title="Ratchet", fill_width=True, delete_cache=CACHE_SECONDS)
    demo.state_session_capacity = SESSIONS
    with demo:  # the first page is the application itself; the others are routes of it
        builders["/"](studio)
    for page in PAGES[1:]:
        with demo.route(page.name, page.path, show_in_navbar=False):
            builders[page.path](studio)
    demo.queue(default_concurrency_limit=8, max_size=64, api_open=False)
    return demo


def add_middleware(app: FastAPI, studio: Studio, assets: Assets, demo: gr.Blocks, limits: Limits) -> None:
    """From the inside out: the one added last meets the request first."""
    from studio.pages.document import Dresser, PageDocument
    from studio.pages.shell import PAGES
    from studio.widgets.widget import widget_names

    host, port = studio.settings.host, studio.settings.port
    dresser = Dresser(assets, {page.slug: widget_names(demo, page.slug) for page in PAGES}, announced(demo))
    app.add_middleware(PageDocument, dresser=dresser)
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    app.add_middleware(CORSMiddleware, allow_origins=[here])
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Doorman, studio=studio)
    app.add_middleware(CalmErrors)
    app.add_middleware(Guard, hosts=[host, *studio.settings.allow_host], limits=limits)
    if studio.settings.root_path:
        app.add_middleware(Rooted, root=studio.settings.root_path)


def announced(demo: gr.Blocks) -> Mapping[str, str]:
    """For each page the elements of its head that ask for Gradio's files at once, by its slug."""
    from studio.pages.preloads import Preloads, frontend
    from studio.pages.shell import PAGES

    preloads = Preloads(frontend())
    kinds: dict[str, set[str]] = {page.slug: set() for page in PAGES}
    for block in demo.blocks.values():
        kinds.setdefault(block.page, set()).add(block.get_block_name())
    return {slug: preloads.links(names) for slug, names in kinds.items()}


def add_routers(app: FastAPI, studio: Studio) -> None:
    """The JSON routes, each subject by name."""
    from studio.api import (
        adjudications,
        answerings,
        canaries,
        checks,
        compare,
        data,
        demo,
        demos,
        disk,
        editor,
        exports,
        imports,
        jobs,
        labels,
        mcp,
        model_sources,
        model_tree,
        models,
        openai,
        openapi,
        overview,
        people,
        preflights,
        queue,
        results,
        rounds,
        rows,
        searches,
        studies,
        versions,
        views,
    )  # fmt: skip

    subjects = (
        adjudications, answerings, canaries, checks, compare, overview, rows, views, versions, editor, preflights, data,
        exports, imports, disk, jobs, labels, queue, searches, mcp, model_sources, models, openai, openapi, rounds,
        people, results, studies, demo, demos,
        model_tree,  # after all others under /api/models: it takes any one name there for a model
    )  # fmt: skip
    for module in subjects:
        app.include_router(module.router(studio))
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"]
    for path in ELSEWHERE:
        app.add_api_route(path, nothing_here, methods=every, include_in_schema=False)


def nothing_here(request: Request) -> Response:
    """What we have no route for, answered by us: Gradio, which is mounted at "/", would say it in other words."""
    from studio.api.openapi import methods_at

    allow = methods_at(request.app, request.url.path)
    if not allow:
        raise NotFound(f"There is nothing at '{request.url.path[:105]}'.")
    refused = answer(405, "bad-method", f"This address knows {' and '.join(allow)}, and not {request.method}.")
    refused.headers["Allow"] = ", ".join(allow)
    return refused


def mount_pages(app: FastAPI, demo: gr.Blocks, limits: Limits, root_path: str = "") -> None:
    """Mount Gradio at "/" with everything off that the studio does not use; `root_path`: where a proxy shows it."""
    import gradio as gr

    from studio.pages.theme import studio_theme

    # Gradio warns that it leaves server-side rendering off, which is what we ask for.
    warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
    gr.mount_gradio_app(
        app,
        demo,
        path="/",
        root_path=root_path or None,
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        max_file_size=limits.upload,
        ssr_mode=False,
        theme=studio_theme(),
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    demo.app = next(route.app for route in reversed(app.routes) if isinstance(route, Mount))  # its queue asks for it
