/* Elements and attributes that the Markdown renderer may make; everything else in its result is a fault. */
(texts) => {
  const tags = new Set(("P H3 H4 H5 H6 STRONG EM DEL CODE PRE UL OL LI"
    + " BLOCKQUOTE TABLE THEAD TBODY TR TH TD HR A SPAN BR").split(" "));
  const attributes = { A: new Set(["href", "title", "target", "rel"]), OL: new Set(["start"]) };
  const faults = [];
  for (const text of texts) {
    const box = document.createElement("div");
    document.body.append(box);
    box.append(ratchet.markdown(text));
    for (const element of box.querySelectorAll("*")) {
      const names = element.getAttributeNames().filter((name) => !attributes[element.tagName]?.has(name));
      const link = element.tagName !== "A"
        || (/^https?:$/.test(element.protocol) && element.rel === "noopener noreferrer nofollow");
      if (!tags.has(element.tagName) || names.length || !link) faults.push([text, element.outerHTML]);
      element.click?.call(element.tagName === "A" ? document.createElement("a") : element);
    }
    box.remove();
  }
  return faults;
}
