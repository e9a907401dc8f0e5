"""Comments on an example: read by all, changed and removed by who wrote them."""

from typing import Any

from storage import comments as stored
from storage import datasets
from storage.comments import Comment
from storage.errors import BadInput, NotFound
from storage.store import Store
from studio.curation import editing

LONGEST = 10_000  # characters


def list_comments(store: Store, name: str, example_id: str, reader: str) -> list[dict[str, Any]]:
    """The comments on an example, oldest first; `mine`: whether the reader may change it. Raises NotFound."""
    dataset = datasets.get_dataset(store, name)
    return [comment_json(item, reader) for item in stored.of_example(store, dataset.id, example_id)]


def add(store: Store, name: str, example_id: str, text: str, author: str) -> Comment:
    """Write a comment; raises BadInput for an empty or endless one, NotFound."""
    dataset = datasets.get_dataset(store, name)
    example = editing.get(store, name, example_id)
    return stored.add(store, dataset.id, example.id, author, _checked(text))


def edit(store: Store, name: str, example_id: str, comment_id: str, text: str, author: str) -> Comment:
    """Change the words of one's own comment; raises BadInput, NotFound, Refused."""
    _belongs(store, name, example_id, comment_id)
    return stored.edit(store, comment_id, author, _checked(text))


def remove(store: Store, name: str, example_id: str, comment_id: str, author: str) -> Comment:
    """Take one's own comment away; `restore` brings it back for a day. Raises NotFound, Refused."""
    _belongs(store, name, example_id, comment_id)
    return stored.remove(store, comment_id, author)


def restore(store: Store, name: str, example_id: str, comment_id: str, author: str) -> Comment:
    """Bring back what one has removed; raises NotFound, Refused."""
    _belongs(store, name, example_id, comment_id)
    return stored.restore(store, comment_id, author)


def comment_json(comment: Comment, reader: str) -> dict[str, Any]:
    """A comment for the page."""
    return {
        "id": comment.id,
        "author": comment.author,
        "text": comment.text,
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "mine": comment.author == reader,
    }


def _belongs(store: Store, name: str, example_id: str, comment_id: str) -> None:
    """Raise NotFound where the comment is on another example than the address says."""
    dataset = datasets.get_dataset(store, name)
    row = store.one("select dataset_id, example_id from comments where id = ?", [comment_id])
    if row is None or (row["dataset_id"], row["example_id"]) != (dataset.id, example_id):
        raise NotFound("This comment is gone.")


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise BadInput("The comment is empty.")
    if len(text) > LONGEST:
        raise BadInput(f"The comment has {len(text):,} characters; {LONGEST:,} are the most.")
    return text
