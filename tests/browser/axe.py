"""What axe-core finds wrong with a page for people who cannot see it, cannot use a mouse, or read by machine."""

from typing import Any

GRAVE = ("serious", "critical")
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((found) => %s.includes(found.impact))
  .map((found) => `${found.id}: ${found.help}: ${found.nodes.map((node) => node.target.join(" ")).slice(0, 3)}`)"""

# Half-way through a transition a colour is neither the one before nor the one after.
_CALM = """() => Promise.race([new Promise((done) => setTimeout(done, 1000)), Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished.catch(() => 0)))])
  .then(() => null)"""


def grave_violations(page: Any) -> list[str]:
    """The serious and critical violations of an open page, each as a sentence with the elements.

    The rules are those that ship with axe-playwright-python; they are put into the page past its content security
    policy, which stays as it is for the page's own scripts.
    """
    from axe_playwright_python.base import AXE_FILE_PATH

    page.evaluate(_CALM)
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    found: list[str] = page.evaluate(_RUN % list(GRAVE))
    return found
