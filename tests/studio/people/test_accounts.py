"""Accounts, invitations and roles."""

import pytest

from storage import people
from storage.errors import BadInput, Conflict, Forbidden, NotFound
from storage.store import Store
from studio.people import accounts
from studio.people.roles import ROLES, Action, Actor, require

OWNER = Actor("me", "admin")
CURATOR = Actor("cy", "curator")
ANNOTATOR = Actor("ann", "annotator")
GOOD = "correct horse"


def test_an_administrator_makes_accounts_and_their_passwords_are_not_stored(store: Store) -> None:
    made = accounts.add(store, OWNER, "  Ann  O'Neill ", "annotator", GOOD)

    assert (made.name, made.role) == ("Ann O'Neill", "annotator")
    assert GOOD not in str(store.rows("select * from people")) and made.password.startswith("scrypt$15$8$1$")
    assert accounts.listed(store, OWNER)["people"] == [
        {"name": "Ann O'Neill", "role": "annotator", "created_at": made.created_at, "disabled": False}
    ]


@pytest.mark.parametrize("name", ["", " ", "a" * 41, "<b>", "x\ny\x00", "_", "."])
def test_a_name_that_cannot_be_shown_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadInput, match="1 to 40 letters"):
        accounts.add(store, OWNER, name, "annotator", GOOD)


def test_a_name_is_taken_whatever_its_case(store: Store) -> None:
    accounts.add(store, OWNER, "Ann", "annotator", GOOD)
    with pytest.raises(Conflict, match="There is somebody named"):
        accounts.add(store, OWNER, "ANN", "curator", GOOD)
    assert [person.role for person in people.list_people(store)] == ["annotator"]


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_that_cannot_protect_is_refused(store: Store, password: str) -> None:
    with pytest.raises(BadInput, match="8 to 1024 characters"):
        accounts.add(store, OWNER, "Ann", "annotator", password)


def test_only_an_administrator_makes_accounts(store: Store) -> None:
    for actor in (CURATOR, ANNOTATOR, Actor("tr", "trainer")):
        with pytest.raises(Forbidden, match="may not administer; that needs the role admin"):
            accounts.add(store, actor, "Ann", "annotator", GOOD)
    assert people.list_people(store) == []


def test_an_invitation_makes_one_account(store: Store) -> None:
    invited = accounts.invite(store, CURATOR)
    ann = accounts.accept(store, invited.token, "Ann", GOOD)

    assert ann.role == "annotator"
    with pytest.raises(NotFound, match="ask for a new link"):
        accounts.accept(store, invited.token, "Bo", GOOD)
    assert [person.name for person in people.list_people(store)] == ["Ann"]
    assert invited.token not in str(store.rows("select * from invitations"))


def test_an_invitation_is_not_used_up_by_a_name_that_is_taken(store: Store) -> None:
    accounts.add(store, OWNER, "Ann", "annotator", GOOD)
    invited = accounts.invite(store, OWNER, "curator")
    with pytest.raises(Conflict):
        accounts.accept(store, invited.token, "Ann", GOOD)

    assert accounts.accept(store, invited.token, "Bo", GOOD).role == "curator"


def test_an_invitation_ends_by_time_and_by_hand(store: Store) -> None:
    old = accounts.invite(store, OWNER, days=-1)
    withdrawn = accounts.invite(store, OWNER)
    accounts.withdraw(store, OWNER, withdrawn.id)

    for invited in (old, withdrawn):
        with pytest.raises(NotFound):
            accounts.accept(store, invited.token, "Ann", GOOD)
    assert accounts.listed(store, OWNER)["invitations"] == []


def test_a_curator_invites_annotators_alone(store: Store) -> None:
    with pytest.raises(Forbidden):
        accounts.invite(store, CURATOR, "admin")
    with pytest.raises(Forbidden):
        accounts.invite(store, ANNOTATOR)


def test_the_last_administrator_stays(store: Store) -> None:
    accounts.add(store, OWNER, "Ada", "admin", GOOD)
    with pytest.raises(Conflict, match="last administrator"):
        accounts.disable(store, OWNER, "Ada")
    with pytest.raises(Conflict, match="last administrator"):
        accounts.set_role(store, OWNER, "Ada", "trainer")

    accounts.add(store, OWNER, "Bea", "admin", GOOD)
    accounts.disable(store, OWNER, "Ada")
    assert [(one.name, one.disabled_at is None) for one in people.list_people(store)] == [("Ada", False), ("Bea", True)]


def test_what_each_role_may_do() -> None:
    assert {role: sorted(action.value for action in actions) for role, actions in ROLES.items()} == {
        "annotator": ["judge"],
        "curator": ["edit data", "export data", "judge", "read data", "run studies", "see results"],
        "trainer": ["export data", "judge", "manage models", "read data", "see results", "train"],
        "admin": sorted(action.value for action in Action),
    }
    with pytest.raises(Forbidden, match="ann is here as annotator and may not train; that needs the role trainer or"):
        require(ANNOTATOR, Action.TRAIN)
