/*
 * LaTeX as MathML, which browsers draw by themselves: no fonts and no scripts from elsewhere.
 *
 *   ratchet.mathml(source, display) -> <math>, or null where something in it is not known
 *
 * Null, not a guess: half a formula misleads, so what we cannot draw is shown as its source. Elements come from a fixed
 * list and attributes from this file alone; text is set as text. A formula has at most LONG characters and DEPTH levels.
 * The alphabets (\mathbb, \mathcal …) are the letters that Unicode has for them, because MathML Core has no others.
 */
(() => {
  "use strict";

  const SPACE = "http://www.w3.org/1998/Math/MathML";
  const LONG = 5000;
  const DEPTH = 24;
  class Unknown extends Error {}

  function make(tag, attributes, ...children) {
    const node = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const table = (text) => new Map(text.trim().split(/\s+/).map((pair) => pair.split(":")));

  /* ---- What is known ------------------------------------------------------------------------------- */

  const LETTERS = table(`alpha:α beta:β gamma:γ delta:δ epsilon:ϵ varepsilon:ε zeta:ζ eta:η theta:θ vartheta:ϑ iota:ι kappa:κ lambda:λ mu:μ
    nu:ν xi:ξ omicron:ο pi:π varpi:ϖ rho:ρ varrho:ϱ sigma:σ varsigma:ς tau:τ upsilon:υ phi:ϕ varphi:φ chi:χ psi:ψ omega:ω ell:ℓ hbar:ℏ
    imath:ı jmath:ȷ wp:℘ Re:ℜ Im:ℑ aleph:ℵ beth:ℶ`);
  const UPRIGHT = table(`Gamma:Γ Delta:Δ Theta:Θ Lambda:Λ Xi:Ξ Pi:Π Sigma:Σ Upsilon:Υ Phi:Φ Psi:Ψ Omega:Ω infty:∞ partial:∂ nabla:∇ emptyset:∅
    varnothing:∅ top:⊤ bot:⊥ angle:∠ triangle:△ square:□ Box:□ degree:° checkmark:✓ dots:… ldots:… cdots:⋯ vdots:⋮ ddots:⋱ dotsc:… dotsb:⋯
    $:$ %:% #:# &:& _:_ pounds:£ euro:€ S:§ P:¶ copyright:© dagger:† ddagger:‡ clubsuit:♣ diamondsuit:♢ heartsuit:♡ spadesuit:♠ flat:♭ sharp:♯
    natural:♮ blacksquare:■ qed:∎ Diamond:◇ lozenge:◊ bigstar:★ prime:′ backslash:\\`);
  const OPERATORS = table(`times:× cdot:⋅ div:÷ pm:± mp:∓ ast:∗ star:⋆ circ:∘ bullet:∙ oplus:⊕ ominus:⊖ otimes:⊗ oslash:⊘ odot:⊙ cup:∪ cap:∩
    sqcup:⊔ sqcap:⊓ uplus:⊎ setminus:∖ smallsetminus:∖ wr:≀ amalg:⨿ land:∧ wedge:∧ lor:∨ vee:∨ lnot:¬ neg:¬ forall:∀ exists:∃ nexists:∄
    leq:≤ le:≤ geq:≥ ge:≥ neq:≠ ne:≠ lt:< gt:> ll:≪ gg:≫ leqslant:⩽ geqslant:⩾ approx:≈ equiv:≡ sim:∼ simeq:≃ cong:≅ propto:∝ asymp:≍ doteq:≐
    coloneqq:≔ triangleq:≜ prec:≺ succ:≻ preceq:⪯ succeq:⪰ in:∈ notin:∉ ni:∋ subset:⊂ supset:⊃ subseteq:⊆ supseteq:⊇ subsetneq:⊊ supsetneq:⊋
    sqsubseteq:⊑ sqsupseteq:⊒ mid:∣ nmid:∤ parallel:∥ nparallel:∦ perp:⊥ models:⊨ vdash:⊢ dashv:⊣ vDash:⊨ therefore:∴ because:∵ to:→ gets:←
    rightarrow:→ leftarrow:← leftrightarrow:↔ Rightarrow:⇒ Leftarrow:⇐ Leftrightarrow:⇔ implies:⟹ impliedby:⟸ iff:⟺ longrightarrow:⟶
    longleftarrow:⟵ longleftrightarrow:⟷ Longrightarrow:⟹ Longleftarrow:⟸ Longleftrightarrow:⟺ mapsto:↦ longmapsto:⟼ uparrow:↑ downarrow:↓
    updownarrow:↕ Uparrow:⇑ Downarrow:⇓ nearrow:↗ searrow:↘ swarrow:↙ nwarrow:↖ hookrightarrow:↪ hookleftarrow:↩ rightharpoonup:⇀
    rightharpoondown:⇁ leftharpoonup:↼ rightleftharpoons:⇌ rightsquigarrow:⇝ leadsto:⇝ upharpoonright:↾ lhd:⊲ rhd:⊳ trianglelefteq:⊴ ltimes:⋉ rtimes:⋊
    bowtie:⋈ lesssim:≲ gtrsim:≳ Join:⋈ bigcirc:◯ dotplus:∔ intercal:⊺ surd:√`).set("colon", ":");
  const DELIMITERS = table(`langle:⟨ rangle:⟩ lfloor:⌊ rfloor:⌋ lceil:⌈ rceil:⌉ lbrace:{ rbrace:} {:{ }:} lbrack:[ rbrack:] vert:| lvert:| rvert:|
    Vert:‖ lVert:‖ rVert:‖ |:‖ lgroup:⟮ rgroup:⟯ backslash:\\ uparrow:↑ downarrow:↓ ulcorner:⌜ urcorner:⌝`);
  const SUMS = table("sum:∑ prod:∏ coprod:∐ bigcup:⋃ bigcap:⋂ bigvee:⋁ bigwedge:⋀ bigoplus:⨁ bigotimes:⨂ bigodot:⨀ biguplus:⨄ bigsqcup:⨆");
  const INTEGRALS = table("int:∫ iint:∬ iiint:∭ oint:∮ oiint:∯ intop:∫");
  const LIMITS = new Set("lim max min sup inf limsup liminf argmax argmin det gcd Pr".split(" "));
  const FUNCTIONS = new Set("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth exp log ln lg arg deg dim hom ker sgn tr rank softmax".split(" "));
  const SPACES = table(",:0.167em >:0.222em ;:0.278em !:-0.167em quad:1em qquad:2em enspace:0.5em thinspace:0.167em medspace:0.222em thickspace:0.278em negthinspace:-0.167em");
  SPACES.set(":", "0.222em").set(" ", "0.25em").set("\n", "0.25em");
  const ABOVE = table("hat:^ widehat:^ bar:‾ overline:‾ vec:→ overrightarrow:→ overleftarrow:← tilde:~ widetilde:~ dot:˙ ddot:¨ dddot:⃛ check:ˇ breve:˘ acute:´ grave:` mathring:˚ overbrace:⏞");
  const BELOW = table("underline:_ underbar:_ underbrace:⏟");
  const STRETCHED = new Set("widehat overline overrightarrow overleftarrow widetilde overbrace underbrace underline".split(" "));
  const ARROWS = table("xrightarrow:→ xleftarrow:← xRightarrow:⇒ xleftrightarrow:↔ xmapsto:↦ xlongequal:=");
  const SIZES = { big: "1.2em", Big: "1.8em", bigg: "2.4em", Bigg: "3em" };
  const IGNORED = new Set("displaystyle textstyle scriptstyle limits nolimits nonumber notag relax allowbreak hfill centering strut mathstrut".split(" "));
  const TEXTS = new Set("text textrm textnormal textbf textit texttt textsf mbox hbox mathrm operatorname mathop mathit textup mathord mathbin mathrel".split(" "));
  const PAIRED = { matrix: "", smallmatrix: "", pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{", dcases: "{", rcases: " }", array: "",
    aligned: "", align: "", alignat: "", split: "", gathered: "", gather: "", equation: "", multline: "", eqnarray: "", subarray: "", displaymath: "" };
  const ALIGNED = new Set(["aligned", "align", "split", "alignat", "eqnarray"]);

  // Where an alphabet begins in Unicode: capitals, small letters, digits; and the letters that Unicode had before.
  const ALPHABETS = {
    mathbb: [0x1d538, 0x1d552, 0x1d7d8, { C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ" }],
    mathbf: [0x1d400, 0x1d41a, 0x1d7ce, {}],
    boldsymbol: [0x1d468, 0x1d482, 0x1d7ce, {}],
    mathcal: [0x1d49c, 0x1d4b6, 0, { B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ", e: "ℯ", g: "ℊ", o: "ℴ" }],
    mathfrak: [0x1d504, 0x1d51e, 0, { C: "ℭ", H: "ℌ", I: "ℑ", R: "ℜ", Z: "ℨ" }],
    mathsf: [0x1d5a0, 0x1d5ba, 0x1d7e2, {}],
    mathtt: [0x1d670, 0x1d68a, 0x1d7f6, {}],
  };
  Object.assign(ALPHABETS, { mathscr: ALPHABETS.mathcal, bm: ALPHABETS.boldsymbol, bold: ALPHABETS.mathbf, Bbb: ALPHABETS.mathbb, pmb: ALPHABETS.boldsymbol, bf: ALPHABETS.mathbf, frak: ALPHABETS.mathfrak });

  /* ---- Reading ------------------------------------------------------------------------------------- */

  const TOKEN = /\\(?:(?:operatorname|tag)\*|[a-zA-Z]+|[\s\S])|\d+(?:\.\d+)?|\s+|[\s\S]/gu;
  const SIGNS = new Set(["−", "+", "±", "∓"]);
  const CLOSING = /^[)\]}|!⟩⌉⌋‖′]/; // after these a sign joins two things; after other operators it stands before one
  const lettered = (token) => token !== undefined && /^\p{L}$/u.test(token);

  /** One formula being read. Tokens of white space are kept: they count in \text alone. */
  class Formula {
    constructor(source) {
      this.tokens = source.match(TOKEN) || [];
      this.at = 0;
    }

    skip() {
      while (this.at < this.tokens.length && /^\s+$/.test(this.tokens[this.at])) this.at += 1;
    }

    peek() {
      this.skip();
      return this.tokens[this.at];
    }

    take() {
      const token = this.peek();
      this.at += 1;
      return token;
    }

    expect(token) {
      if (this.take() !== token) throw new Unknown(token);
    }

    /** Atoms with their scripts until one of the ends, which is left where it is. */
    row(ends, depth) {
      if (depth > DEPTH) throw new Unknown("too deep");
      const out = [];
      for (let token = this.peek(); token !== undefined && !ends.includes(token); token = this.peek()) {
        if (token === "}" || token === "&" || token === "\\\\" || token === "\\right" || token === "\\end") throw new Unknown(token);
        const atom = this.scripted(depth);
        if (!atom) continue;
        if (SIGNS.has(atom.textContent) && out.at(-1)?.localName === "mo" && !CLOSING.test(out.at(-1).textContent)) atom.setAttribute("form", "prefix");
        out.push(atom);
      }
      if (this.peek() === undefined && !ends.includes(undefined)) throw new Unknown("the end");
      return out;
    }

    group(ends, depth) {
      const nodes = this.row(ends, depth);
      return nodes.length === 1 ? nodes[0] : make("mrow", null, ...nodes);
    }

    /** An argument: a group in braces, or the next atom. */
    argument(depth) {
      if (this.peek() === undefined) throw new Unknown("the end");
      if (this.peek() === "{") {
        this.take();
        const node = this.group(["}"], depth + 1);
        this.expect("}");
        return node;
      }
      const token = this.peek();
      if (/^\d{2,}/.test(token)) { // x^10 is x¹0, as in LaTeX
        this.tokens[this.at] = token.slice(1);
        return make("mn", null, token[0]);
      }
      const node = this.atom(depth + 1);
      if (!node) throw new Unknown(token);
      return node;
    }

    /** What stands between braces, as it is written. */
    raw() {
      this.expect("{");
      const from = this.at;
      for (let open = 1; this.at < this.tokens.length; this.at += 1) {
        if (this.tokens[this.at] === "{") open += 1;
        if (this.tokens[this.at] === "}" && (open -= 1) === 0) return this.tokens.slice(from, this.at++).join("");
      }
      throw new Unknown("the end");
    }

    optional(depth) {
      if (this.peek() !== "[") return null;
      this.take();
      const node = this.group(["]"], depth + 1);
      this.expect("]");
      return node;
    }

    scripted(depth) {
      let base = ["^", "_", "'"].includes(this.peek()) ? make("mrow") : this.atom(depth);
      if (!base) return null;
      let [below, above, primes] = [null, null, ""];
      for (let token = this.peek(); ["^", "_", "'", "\\limits", "\\nolimits"].includes(token); token = this.peek()) {
        this.take();
        if (token === "'") primes += "′";
        else if (token === "\\limits" || token === "\\nolimits") base.beneath = token === "\\limits";
        else if (token === "^" && !above) above = this.argument(depth);
        else if (token === "_" && !below) below = this.argument(depth);
        else throw new Unknown(token); // a double script
      }
      if (primes) above = above ? make("mrow", null, make("mo", null, primes), above) : make("mo", null, primes);
      const beneath = base.beneath;
      if (below && above) base = make(beneath ? "munderover" : "msubsup", null, base, below, above);
      else if (below) base = make(beneath ? "munder" : "msub", null, base, below);
      else if (above) base = make(beneath ? "mover" : "msup", null, base, above);
      return base;
    }

    /** One thing without its scripts; null for what leaves nothing (\nonumber). */
    atom(depth) {
      const token = this.take();
      if (token === undefined) throw new Unknown("the end");
      if (token === "{") {
        const node = make("mrow", null, ...this.row(["}"], depth + 1));
        this.expect("}");
        return node;
      }
      if (/^\d/.test(token)) return make("mn", null, token);
      if (token[0] === "\\" && token.length > 1) return this.command(token.slice(1), depth);
      if (token === "~") return make("mspace", { width: "0.25em" });
      if (lettered(token)) return make("mi", null, token);
      if ("()[]".includes(token)) return make("mo", { stretchy: "false" }, token);
      if (token === "|") return make("mo", { stretchy: "false", lspace: "0em", rspace: "0em" }, token);
      if ("$#&\\}^_".includes(token)) throw new Unknown(token);
      if (!/^[-+=<>*/:;,!'\p{Sm}]$/u.test(token)) return make("mtext", null, token);
      return make("mo", null, { "-": "−", "*": "∗" }[token] || token);
    }

    command(name, depth) {
      if (LETTERS.has(name)) return make("mi", null, LETTERS.get(name));
      if (UPRIGHT.has(name)) return make("mi", { mathvariant: "normal" }, UPRIGHT.get(name));
      if (OPERATORS.has(name)) return make("mo", { stretchy: "false" }, OPERATORS.get(name));
      if (DELIMITERS.has(name)) return make("mo", { stretchy: "false" }, DELIMITERS.get(name));
      if (SPACES.has(name)) return make("mspace", { width: SPACES.get(name) });
      if (SUMS.has(name)) return beneath(make("mo", null, SUMS.get(name)));
      if (INTEGRALS.has(name)) return make("mo", null, INTEGRALS.get(name));
      if (LIMITS.has(name)) return beneath(this.named({ limsup: "lim sup", liminf: "lim inf", argmax: "arg max", argmin: "arg min" }[name] || name, true));
      if (FUNCTIONS.has(name)) return this.named(name);
      if (IGNORED.has(name)) return null;
      if (Object.hasOwn(ALPHABETS, name)) return this.letters(ALPHABETS[name], depth);
      if (TEXTS.has(name.replace(/\*$/, ""))) return this.text(name);
      if (ABOVE.has(name)) return this.accent("mover", name, ABOVE.get(name), depth);
      if (BELOW.has(name)) return this.accent("munder", name, BELOW.get(name), depth);
      return this.built(name, depth);
    }

    built(name, depth) {
      const two = (build) => { const first = this.argument(depth); return build(first, this.argument(depth)); };
      switch (name) {
        case "frac": case "dfrac": case "tfrac": case "cfrac":
          return two((a, b) => make("mfrac", name[0] === "d" || name[0] === "c" ? { displaystyle: "true" } : null, a, b));
        case "binom": case "dbinom": case "tbinom":
          return two((a, b) => make("mrow", null, make("mo", null, "("), make("mfrac", { linethickness: "0" }, a, b), make("mo", null, ")")));
        case "sqrt": {
          const index = this.optional(depth);
          return index ? make("mroot", null, this.argument(depth), index) : make("msqrt", null, this.argument(depth));
        }
        case "overset": case "stackrel": return two((above, base) => make("mover", null, base, above));
        case "underset": return two((below, base) => make("munder", null, base, below));
        case "boxed": case "fbox": return make("mrow", { class: "math-boxed" }, this.argument(depth));
        case "phantom": return make("mphantom", null, this.argument(depth));
        case "not": return make("mo", null, `${this.argument(depth).textContent}\u0338`.normalize("NFC"));
        case "pmod": return make("mrow", null, make("mspace", { width: "1em" }), make("mo", null, "("), make("mi", null, "mod"), make("mspace", { width: "0.333em" }), this.argument(depth), make("mo", null, ")"));
        case "bmod": return make("mo", { lspace: "0.222em", rspace: "0.222em" }, "mod");
        case "tag": case "tag*": return make("mrow", null, make("mspace", { width: "2em" }), make("mtext", null, `(${this.raw()})`));
        case "label": this.raw(); return null;
        case "substack": return this.grid("subarray", depth, () => { this.expect("{"); return ["}"]; });
        case "left": return this.fenced(depth);
        case "begin": return this.environment(depth);
        default: return this.sized(name, depth);
      }
    }

    sized(name, depth) {
      if (ARROWS.has(name)) {
        const below = this.optional(depth);
        const [arrow, above] = [make("mo", { stretchy: "true" }, ARROWS.get(name)), make("mpadded", { width: "+1em", lspace: "0.5em" }, this.argument(depth))];
        return below ? make("munderover", null, arrow, below, above) : make("mover", null, arrow, above);
      }
      const size = /^(bigg?|Bigg?)[lrm]?$/.exec(name);
      if (!size) throw new Unknown(name);
      return make("mo", { stretchy: "true", minsize: SIZES[size[1]], maxsize: SIZES[size[1]] }, this.delimiter());
    }

    /** A function's name: space on both sides, but none before its bracket or scripts. */
    named(name, limits = false) {
      const bare = ["(", "[", "^", "_", "\\left", "{", undefined, "}", ")"].includes(this.peek());
      const first = this.at < 2;
      return make("mo", { lspace: first ? "0em" : "0.167em", rspace: bare && !limits ? "0em" : "0.167em", movablelimits: limits ? "true" : "false" }, name);
    }

    letters([capital, small, digit, before], depth) {
      const node = this.argument(depth);
      const points = (char) => {
        const code = char.charCodeAt(0);
        if (before[char]) return before[char];
        if (/[A-Z]/.test(char)) return String.fromCodePoint(capital + code - 65);
        if (/[a-z]/.test(char)) return char === "h" && small === 0x1d44e ? "ℎ" : String.fromCodePoint(small + code - 97);
        return digit && /\d/.test(char) ? String.fromCodePoint(digit + code - 48) : char;
      };
      for (const leaf of [node, ...node.querySelectorAll("*")]) {
        if ((leaf.localName === "mi" || leaf.localName === "mn") && !leaf.childElementCount) {
          leaf.textContent = Array.from(leaf.textContent, points).join("");
          leaf.setAttribute("mathvariant", "normal");
        }
      }
      return node;
    }

    text(name) {
      if (this.peek() !== "{") return this.argument(0);
      const said = this.raw();
      if (/[\\$]/.test(said.replace(/\\[ ,%&_$#{}]/g, ""))) throw new Unknown(name); // a formula in the text
      const plain = said.replace(/\\([ ,%&_$#{}])/g, "$1");
      if (/^operatorname|^mathop/.test(name)) return name.endsWith("*") || name === "mathop" ? beneath(this.named(plain, true)) : this.named(plain);
      const style = { textbf: "math-bold", textit: "math-italic", texttt: "math-mono" }[name];
      if (name.startsWith("math")) return make("mi", { mathvariant: "normal" }, plain.replaceAll(" ", ""));
      return make("mtext", style ? { class: style } : null, plain.replace(/ /g, "\u00a0"));
    }

    accent(tag, name, sign, depth) {
      const mark = make("mo", { stretchy: STRETCHED.has(name) ? "true" : "false" }, sign);
      const node = make(tag, { [tag === "mover" ? "accent" : "accentunder"]: "true" }, this.argument(depth), mark);
      return name.endsWith("brace") ? beneath(node) : node;
    }

    delimiter() {
      const token = this.take();
      if (token === undefined) throw new Unknown("the end");
      if (token === ".") return "";
      if (token === "<" || token === ">") return token === "<" ? "⟨" : "⟩";
      if ("()[]|/".includes(token)) return token;
      const known = token[0] === "\\" && DELIMITERS.get(token.slice(1));
      if (!known) throw new Unknown(token);
      return known;
    }

    fenced(depth) {
      const fence = (sign, form) => make("mo", { stretchy: "true", fence: "true", form }, sign);
      const parts = [fence(this.delimiter(), "prefix")];
      for (;;) {
        parts.push(...this.row(["\\right", "\\middle"], depth + 1));
        const middle = this.take() === "\\middle";
        parts.push(fence(this.delimiter(), middle ? "infix" : "postfix"));
        if (!middle) return make("mrow", null, ...parts.filter((part) => part.localName !== "mo" || part.textContent));
      }
    }

    environment(depth) {
      const name = this.raw();
      const kind = name.replace(/\*$/, "").replace(/ed?at$/, "at");
      if (!Object.hasOwn(PAIRED, kind)) throw new Unknown(name);
      if (kind === "array" || kind === "subarray" || kind === "alignat") this.raw();
      const node = this.grid(kind, depth, () => ["\\end"]);
      if (this.raw() !== name) throw new Unknown(name);
      const [open, close] = PAIRED[kind];
      const fence = (sign, form) => (sign && sign !== " " ? [make("mo", { stretchy: "true", fence: "true", form }, sign)] : []);
      return make("mrow", null, ...fence(open, "prefix"), node, ...fence(close, "postfix"));
    }

    /** Cells between & and rows between \\, until the end, which is taken. */
    grid(kind, depth, begin) {
      const ends = begin();
      const rows = [[]];
      for (let end = null; end !== ends[0];) {
        if (this.peek() === "\\hline") { this.take(); continue; }
        rows.at(-1).push(make("mtd", null, ...this.row(["&", "\\\\", "\\hline", ...ends], depth + 1)));
        end = this.take();
        if (end === "\\\\") {
          if (this.peek() === "[") { while (this.take() !== "]") if (this.peek() === undefined) throw new Unknown("the end"); }
          rows.push([]);
        }
      }
      while (rows.length > 1 && rows.at(-1).every((cell) => !cell.childNodes.length)) rows.pop();
      const look = ALIGNED.has(kind) ? "math-aligned" : /cases$/.test(kind) ? "math-cases" : null;
      return make("mtable", { ...(look && { class: look }), ...(look === "math-aligned" || kind === "dcases" ? { displaystyle: "true" } : null) }, ...rows.map((cells) => make("mtr", null, ...cells)));
    }
  }

  /** Scripts of this stand below and above it where the formula stands alone. */
  function beneath(node) {
    node.beneath = true;
    return node;
  }

  function mathml(source, display = false) {
    if (source.length > LONG || !source.trim()) return null;
    try {
      const formula = new Formula(source);
      const rows = [];
      do rows.push(formula.row([undefined, "\\\\"], 0)); while (formula.take() !== undefined);
      const lines = rows.length === 1 ? make("mrow", null, ...rows[0]) : make("mtable", { displaystyle: "true" }, ...rows.map((row) => make("mtr", null, make("mtd", null, ...row))));
      return make("math", { display: display ? "block" : "inline", alttext: source.trim() }, lines);
    } catch (error) {
      if (error instanceof Unknown) return null;
      throw error;
    }
  }

  window.ratchet.mathml = mathml;
})();
