"""A page that shows the whole kit and every Gradio component that the studio uses."""

import gradio as gr

from studio.widgets.widget import widget


def build() -> None:
    widget("kit", elem_id="kit")
    with gr.Row():
        gr.Button("Primary", variant="primary", elem_id="g-primary")
        gr.Button("Secondary")
        gr.Button("Stop", variant="stop")
        gr.Button("Quiet", elem_classes="ghost")
        gr.Button("Small", size="sm")
    with gr.Row():
        gr.Dropdown(["starter", "terse-1"], value="starter", label="Base", info="What the adapter stands on.", interactive=True)
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
