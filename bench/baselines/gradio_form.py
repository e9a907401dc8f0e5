"""A form to start a training as a plain Gradio page, as large as ours. No project code.

    python gradio_form.py PORT

What the studio's page shows beside the form is here as well, empty: the runs as a table, a curve, a log.
"""

import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr

NUMBERS = {"Learning rate": 2e-4, "Epochs": 3, "Batch size": 8, "Longest example": 1024, "Rank": 16, "Alpha": 32,
           "Dropout": 0.05, "Warm-up": 0.03, "Seed": 42}  # fmt: skip


def form() -> None:
    """What is trained, on what, and how."""
    gr.Dropdown(["sft", "dpo", "kto", "grpo"], value="sft", label="Method", interactive=True)
    gr.Dropdown(["starter", "another"], value="starter", label="Base", interactive=True)
    gr.Dropdown(["starter"], value="starter", label="Dataset", interactive=True)
    gr.Textbox(label="Name")
    with gr.Row():
        for name, value in NUMBERS.items():
            gr.Number(label=name, value=value, interactive=True)
    gr.Slider(0, 1, value=0.1, label="Held out", interactive=True)
    gr.Radio(["low", "usual", "high"], value="usual", label="Strength", interactive=True)
    gr.Checkbox(label="Pack short examples", value=False, interactive=True)
    with gr.Accordion("More", open=False):
        gr.Textbox(label="Target modules")
        gr.Textbox(label="Note", lines=3)
    gr.Button("Train", variant="primary", elem_id="go")


def main() -> None:
    """Serve until told to end."""
    with gr.Blocks(analytics_enabled=False, title="Train") as demo:
        gr.Markdown("# Train")
        with gr.Row():
            with gr.Column():
                form()
            with gr.Column():
                gr.Dataframe([["1", "starter-1", "done"]], headers=["job", "name", "status"], interactive=False)
                gr.LinePlot(x="step", y="loss", label="Loss")
                gr.Code("step 1", label="Log", language="shell")
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)


if __name__ == "__main__":
    main()
