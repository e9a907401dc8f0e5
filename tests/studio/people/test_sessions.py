"""Signing in and out."""

import pytest

from storage import people
from storage.clock import now
from storage.errors import BadInput, SignInNeeded, TooMany
from storage.store import Store
from studio.people import accounts, sessions
from studio.people.roles import Actor

OWNER = Actor("me", "admin")
GOOD = "correct horse"


@pytest.fixture
def ann(store: Store) -> people.Person:
    return accounts.add(store, OWNER, "Ann", "annotator", GOOD)


@pytest.mark.usefixtures("ann")
def test_a_session_says_who_is_there_until_it_ends(store: Store) -> None:
    signed_in = sessions.sign_in(store, "ann", GOOD, "127.0.0.1")

    assert sessions.actor_of(store, signed_in.token) == Actor("Ann", "annotator")
    assert signed_in.token not in str(store.rows("select * from sessions"))
    sessions.sign_out(store, signed_in.token)
    assert sessions.actor_of(store, signed_in.token) is None


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("name", "password"), [("Ann", "wrong horse"), ("Nobody", GOOD), ("Ann", ""), ("Ann", "x" * 5000)]
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(store: Store, name: str, password: str) -> None:
    with pytest.raises(SignInNeeded, match=r"^The name or the password is wrong\.$"):
        sessions.sign_in(store, name, password, "127.0.0.1")
    assert store.value("select count(*) from sessions") == 0


@pytest.mark.usefixtures("ann")
def test_after_too_many_failures_even_the_right_password_waits(store: Store) -> None:
    for _ in range(sessions.MOST_PER_NAME):
        people.note_attempt(store, "name:ann")
    with pytest.raises(TooMany, match="try again in 15 minutes"):
        sessions.sign_in(store, "Ann", GOOD, "127.0.0.1")

    store.execute("update attempts set at = ?", [now() - sessions.WINDOW - 1])
    assert sessions.sign_in(store, "Ann", GOOD, "127.0.0.1").person.name == "Ann"
    assert people.attempts(store, "name:ann", 0) == []


@pytest.mark.usefixtures("ann")
def test_one_address_cannot_try_all_names(store: Store) -> None:
    for _ in range(sessions.MOST_PER_ADDRESS):
        people.note_attempt(store, "address:10.0.0.9")
    with pytest.raises(TooMany):
        sessions.sign_in(store, "Ann", GOOD, "10.0.0.9")
    assert sessions.sign_in(store, "Ann", GOOD, "10.0.0.8").person.name == "Ann"


def test_a_session_ends_with_its_time_the_account_and_a_new_password(store: Store, ann: people.Person) -> None:
    accounts.add(store, OWNER, "Ada", "admin", GOOD)
    tokens = [sessions.begin(store, ann).token for _ in range(3)]
    expire = "update sessions set expires_at = ? where token_sha256 = ?"
    store.execute(expire, [now() - 1, accounts.secret_sha256(tokens[0])])
    assert [sessions.actor_of(store, token) is None for token in tokens] == [True, False, False]

    accounts.set_password(store, Actor("Ann", "annotator"), "Ann", "another horse")
    assert sessions.actor_of(store, tokens[1]) is None
    again = sessions.sign_in(store, "Ann", "another horse", "127.0.0.1").token
    accounts.disable(store, OWNER, "Ann")
    assert sessions.actor_of(store, again) is None
    with pytest.raises(SignInNeeded):
        sessions.sign_in(store, "Ann", "another horse", "127.0.0.1")


def test_ones_own_new_password_ends_all_sessions_but_the_one_that_asks(store: Store, ann: people.Person) -> None:
    here, there, expired = (sessions.begin(store, ann).token for _ in range(3))
    store.execute("update sessions set expires_at = 1 where token_sha256 = ?", [accounts.secret_sha256(expired)])

    assert sessions.change_password(store, here, GOOD, "another horse") == 1

    assert [sessions.actor_of(store, token) is None for token in (here, there)] == [False, True]
    assert sessions.sign_in(store, "Ann", "another horse", "127.0.0.1").person.name == "Ann"
    with pytest.raises(SignInNeeded):
        sessions.sign_in(store, "Ann", GOOD, "127.0.0.1")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("wrong horse", "another horse", "The password that you have now is another one; nothing was changed."),
        (GOOD, GOOD, "The new password is the one that you have; choose another."),
        (GOOD, "short", "A password has 8 to 1024 characters; this one has 5."),
    ],
)
def test_a_refused_new_password_changes_nothing(
    store: Store, ann: people.Person, old: str, new: str, sentence: str
) -> None:
    tokens = [sessions.begin(store, ann).token for _ in range(2)]

    with pytest.raises(BadInput) as refused:
        sessions.change_password(store, tokens[0], old, new)

    assert str(refused.value) == sentence
    assert people.get_person(store, "Ann") == ann
    assert [sessions.actor_of(store, token) is None for token in tokens] == [False, False]


def test_at_an_open_browser_the_old_password_is_not_guessed(store: Store, ann: people.Person) -> None:
    token = sessions.begin(store, ann).token
    for number in range(sessions.MOST_PER_NAME):
        with pytest.raises(BadInput):
            sessions.change_password(store, token, f"guess number {number}", "another horse")

    with pytest.raises(TooMany, match="try again in 15 minutes"):
        sessions.change_password(store, token, GOOD, "another horse")
    assert sessions.sign_in(store, "Ann", GOOD, "127.0.0.1").person.name == "Ann"  # who knows it is not locked out


@pytest.mark.parametrize("token", [None, "", "x"])
@pytest.mark.usefixtures("ann")
def test_without_a_session_there_is_no_password_to_change(store: Store, token: str | None) -> None:
    with pytest.raises(SignInNeeded):
        sessions.change_password(store, token, GOOD, "another horse")


def test_a_session_in_use_lasts_longer(store: Store, ann: people.Person) -> None:
    token = sessions.begin(store, ann).token
    store.execute("update sessions set seen_at = seen_at - 7200, expires_at = expires_at - 7200")
    before = store.value("select expires_at from sessions")

    assert sessions.actor_of(store, token) == Actor("Ann", "annotator")
    assert store.value("select expires_at from sessions") >= before + 7199


@pytest.mark.parametrize("token", [None, "", "x", "ü\ud800"])
def test_a_made_up_token_is_nobody(store: Store, token: str | None) -> None:
    assert sessions.actor_of(store, token) is None
