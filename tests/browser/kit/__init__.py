"""Pages for the browser tests: one shows the whole kit, one holds a widget that does all that a widget can."""

import gradio as gr

from storage.errors import BadInput
from studio.pages.reported import reported
from studio.pages.shell import PAGES
from studio.widgets.widget import widget

REFUSED = "The number must not be below zero: <b>-1</b> is."


def build_demo() -> gr.Blocks:
    """The kit on the first page, the probe on the second."""
    with gr.Blocks(analytics_enabled=False, title="Kit", fill_width=True) as demo:
        kit_page()
    builders = (probe_page, *[blank_page] * (len(PAGES) - 2))
    for page, build in zip(PAGES[1:], builders, strict=True):
        with demo.route(page.name, page.path, show_in_navbar=False):
            build()
    return demo


def kit_page() -> None:
    """Every class of the kit, and every Gradio component that the studio may use."""
    widget("kit", elem_id="kit", parts=["markdown"])
    with gr.Row():
        gr.Button("Primary", variant="primary", elem_id="last-of-kit")
        gr.Button("Secondary")
        gr.Button("Stop", variant="stop")
        gr.Button("Quiet", elem_classes="ghost")
        gr.Button("Small", size="sm")
    with gr.Row():
        gr.Dropdown(["starter", "terse"], value="starter", label="Base", info="What it stands on.", interactive=True)
        gr.Dropdown(["a", "b"], value=["a"], multiselect=True, label="Models", interactive=True)
        gr.Textbox(label="Name", value="terse-1", placeholder="a name", interactive=True)
    with gr.Row():
        gr.Textbox(label="Prompt", lines=3, placeholder="Ask something", interactive=True)
        gr.Number(label="Rows", value=40, interactive=True)
        gr.Slider(1, 20, value=6, label="Epochs", interactive=True)
    with gr.Row():
        gr.Radio(["SFT", "DPO"], value="SFT", label="Method", interactive=True)
        gr.Checkbox(label="Shuffle", value=True, interactive=True)
        gr.CheckboxGroup(["A", "B"], value=["A"], label="Which", interactive=True)
    with gr.Row():
        gr.File(label="Examples", file_types=[".jsonl", ".csv"])
        gr.UploadButton("Choose a file")
    with gr.Accordion("More options", open=True):
        gr.Markdown("Text with a [link](/data) and `code`.")
    with gr.Accordion("Closed", open=False):
        gr.Markdown("inside")
    with gr.Tabs():
        with gr.Tab("One"):
            gr.Dataframe([["a", 1], ["b", 2]], headers=["name", "votes"], interactive=False)
        with gr.Tab("Two"):
            gr.Markdown("two")


def double(argument: dict[str, int]) -> int:
    """What the probe asks of the server."""
    if argument["number"] < 0:
        raise BadInput(REFUSED)
    return argument["number"] * 2


def stumble(argument: None) -> int:
    """A bug of the server."""
    return 1 // 0


def probe_page() -> None:
    """A widget with everything, and handlers that answer and fail."""
    probe = widget("probe", props={"hello": "<b>hello</b>"}, server=[double, stumble], events=["voted"])
    seen = gr.Textbox(label="Seen", elem_id="seen")
    send = gr.Button("Send a value", elem_id="send")
    fail = gr.Button("Fail", elem_id="fail")
    bug = gr.Button("Bug", elem_id="bug")

    @reported
    def on_vote(event: gr.EventData) -> str:
        return f"voted {event.choice}"

    @reported
    def on_fail() -> str:
        raise BadInput(REFUSED)

    @reported
    def on_bug() -> str:
        return str(1 // 0)

    def on_send() -> dict[str, list[int]]:
        return {"n": [1, 2]}

    probe.voted(on_vote, None, seen, queue=False)
    send.click(on_send, None, probe, queue=False)
    fail.click(on_fail, None, seen)
    bug.click(on_bug, None, seen)


def blank_page() -> None:
    """Something small."""
    gr.Markdown("Nothing.")
