/* Elements and attributes that the Markdown renderer may make; everything else in its result is a fault. */
(texts) => {
  const tags = new Set(("P H3 H4 H5 H6 STRONG EM DEL CODE PRE UL OL LI"
    + " BLOCKQUOTE TABLE THEAD TBODY TR TH TD HR A SPAN BR").split(" "));
  const formulas = new Set(("math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover"
    + " mtable mtr mtd mphantom mpadded").split(" "));
  const attributes = { A: new Set(["href", "title", "target", "rel"]), OL: new Set(["start"]), SPAN: new Set(["class"]) };
  const inFormulas = new Set(("display alttext displaystyle mathvariant stretchy fence form lspace rspace width minsize maxsize"
    + " movablelimits linethickness accent accentunder class").split(" "));
  const maths = "http://www.w3.org/1998/Math/MathML";
  const value = /^[\w+.\- ]{0,40}$/; // of an attribute, but for an address and a formula's source
  const faults = [];
  for (const text of texts) {
    const box = document.createElement("div");
    document.body.append(box);
    box.append(ratchet.markdown(text));
    for (const element of box.querySelectorAll("*")) {
      const inside = element.namespaceURI === maths;
      const allowed = inside ? inFormulas : attributes[element.tagName];
      const names = element.getAttributeNames().filter((name) => !allowed?.has(name)
        || (!["href", "title", "alttext"].includes(name) && !value.test(element.getAttribute(name))));
      const link = element.tagName !== "A"
        || (/^https?:$/.test(element.protocol) && element.rel === "noopener noreferrer nofollow");
      if (!(inside ? formulas : tags).has(element.tagName) || names.length || !link) faults.push([text, element.outerHTML]);
      element.click?.call(element.tagName === "A" ? document.createElement("a") : element);
    }
    box.remove();
  }
  return faults;
}
