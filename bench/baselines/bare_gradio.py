"""Gradio as it comes, with one text box, served by uvicorn as the studio is. No project code.

python bare_gradio.py PORT
"""

import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import fastapi
import gradio as gr
import uvicorn


def main() -> None:
    """Serve until told to end."""
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.Textbox(label="Text")
    app = gr.mount_gradio_app(fastapi.FastAPI(), demo, path="/", footer_links=[])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
