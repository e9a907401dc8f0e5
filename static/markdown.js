/* Safe Markdown: filled in below. */
(() => { window.ratchet.markdown = (text) => { const f = document.createDocumentFragment(); f.append(text); return f; }; })();
