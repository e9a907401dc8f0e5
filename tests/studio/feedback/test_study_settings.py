"""Settings of a study: what is usual, what is refused, what comes back from the store as it went in."""

import pytest

from storage.errors import BadInput
from studio.feedback.sampling import Sampling
from studio.feedback.study_settings import Contestant, Criterion, StudySettings


def test_a_study_that_says_nothing_shows_two_answers_to_one_person() -> None:
    usual = StudySettings.from_json({})

    assert (usual.layout, usual.sides, usual.overlap, usual.target, usual.strength) == ("pair", 2, 1, 30, "off")


def test_settings_come_back_from_json_as_they_were() -> None:
    settings = StudySettings(
        layout="rank",
        sides=4,
        criteria=(Criterion("truth", "Is it true?", scale=7, required=True),),
        contestants=(Contestant("warm", "m1", "Be warm.", Sampling(64, 0.2, 0.9)), Contestant("plain", "m1")),
        chips=("clear",),
        people=("ann",),
    )

    assert StudySettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"layout": "grid"}, '"layout" is one of pair, rank, rate, turns, not "grid".'),
        ({"layout": "rank", "sides": 9}, 'The layout "rank" shows 3 to 8 answers, not 9.'),
        ({"layout": "rate", "sides": 2}, 'The layout "rate" shows 1 answer, not 2.'),
        ({"overlap": 0}, '"overlap" lies between 1 and 100, not at 0.'),
        ({"criteria": [{"key": "a", "label": "A"}, {"key": "a", "label": "B"}]},
         "Two criteria have the same key; give each its own."),
        ({"criteria": [{"key": "A b", "label": "A"}]},
         'A criterion\'s key is 1 to 32 small letters, digits and underscores, not "A b".'),
    ],
)  # fmt: skip
def test_what_no_study_can_be_is_refused_with_a_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        StudySettings.from_json(values)

    assert str(refused.value) == sentence
