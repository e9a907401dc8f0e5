"""A widget's files come with the page that holds it, its parts before itself."""

import gradio as gr
import pytest

from studio.widgets.widget import widget, widget_names


def test_the_parts_of_a_widget_are_loaded_before_it_and_once() -> None:
    with gr.Blocks() as demo:
        widget("run", parts=["curve"])
        widget("report", parts=["curve", "table"])

    assert widget_names(demo, "") == ["curve", "run", "table", "report"]


@pytest.mark.parametrize("parts", [["../secret"], ['x"><script>'], ["Big"]])
def test_a_part_must_be_named_as_a_file(parts: list[str]) -> None:
    with gr.Blocks(), pytest.raises(ValueError, match="must be lower-case letters"):
        widget("run", parts=parts)
