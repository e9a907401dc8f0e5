"""Where in a person's row of comparisons a known answer or a second look stands.

Of every so many places one is drawn by hash, so that the share is exact and nobody can count along. Nothing is
remembered: the place of what comes next is what the person has judged, skipped and holds, plus one.
"""

from storage.rows import Study
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import StudySettings


def gold_due(study: Study, settings: StudySettings, annotator: str, place: int) -> bool:
    """Whether a known answer stands at this place, counted from 1."""
    return _drawn("gold", study, annotator, settings.gold_every, place)


def second_due(study: Study, settings: StudySettings, annotator: str, place: int) -> bool:
    """Whether a second look stands at this place; where gold stands already, it waits for the next one."""
    if gold_due(study, settings, annotator, place):
        return False
    moved = place > 1 and gold_due(study, settings, annotator, place - 1)
    return _drawn("second", study, annotator, settings.second_every, place) or (
        moved and _drawn("second", study, annotator, settings.second_every, place - 1)
    )


def _drawn(what: str, study: Study, annotator: str, every: int, place: int) -> bool:
    if every < 1:
        return False
    block, offset = divmod(place - 1, every)
    return shuffled(what, study.seed, annotator, block) % every == offset
