/*
 * The form of a row by its kind: a conversation, a prompt with answers, a text, a preference in one of three forms
 * (two answers, one answer with a thumb, one answer with a score). Two answers stand side by side, with what differs
 * between them marked by words.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const WAIT = 250; // milliseconds after the last letter before the difference is drawn again
  const parts = (window.ratchet.editorParts ||= {});
  const blank = (role) => parts.turns.blank(role);

  const EMPTY = {
    sft: () => ({ messages: [blank("user"), blank("assistant")] }),
    prompts: () => ({ prompt: [blank("user")] }),
    preference: () => ({ prompt: [blank("user")], chosen: [blank("assistant")], rejected: [blank("assistant")] }),
    text: () => ({ text: "" }),
  };
  const FORMS = [["pair", "Two answers"], ["thumbs", "One answer, thumb up or down"], ["scored", "One answer, a score"]];
  const formOf = (content) => (content.chosen ? "pair" : "score" in content ? "scored" : "thumbs");

  function form(desk) {
    const { content } = desk.draft;
    if (desk.row.kind === "text") return textForm(desk);
    if (desk.row.kind === "prompts") return el("div", { class: "stack" }, desk.turns.list("prompt"), answers(desk));
    if (desk.row.kind !== "preference") return desk.turns.list("messages");
    return el("div", { class: "stack" }, desk.row.id === "new" && chooseForm(desk), part(desk, "prompt"),
      { pair, thumbs, scored }[formOf(content)](desk));
  }

  const part = (desk, name, ...more) => el("section", { class: `part part-${name}` }, el("div", { class: "row-between" }, el("h3", {}, parts.turns.HEADS[name]), more), desk.turns.list(name));

  function textForm(desk) {
    const area = desk.grown(el("textarea", { id: "row-text", value: desk.draft.content.text, rows: 12, dir: "auto",
      oninput: () => { desk.typed("the text"); desk.draft.content.text = area.value; desk.mark(); } }));
    return el("div", { class: "field" }, el("label", { for: "row-text" }, "Text"), area);
  }

  /* ---- Preferences --------------------------------------------------------------------------------------- */

  function chooseForm(desk) {
    const now = formOf(desk.draft.content);
    return el("div", { class: "segmented", role: "group", "aria-label": "Form of the preference" }, FORMS.map(([name, label]) =>
      el("button", { type: "button", "aria-pressed": String(name === now), onclick: () => reshape(desk, name) }, label)));
  }

  /** An empty row in another form; the prompt and the first answer stay. */
  function reshape(desk, name) {
    desk.step("changed the form");
    const { prompt, chosen, completion, rejected } = desk.draft.content;
    const first = chosen || completion;
    desk.draft.content = name === "pair" ? { prompt, chosen: first, rejected: rejected || [blank("assistant")] }
      : { prompt, completion: first, ...(name === "thumbs" ? { label: true } : { score: 0 }) };
    desk.redraw();
  }

  function pair(desk) {
    const { content } = desk.draft;
    const swap = () => {
      desk.step("swapped the answers");
      [content.chosen, content.rejected] = [content.rejected, content.chosen];
      desk.redraw();
    };
    return el("div", { class: "stack" },
      el("div", { class: "answers" }, part(desk, "chosen"), part(desk, "rejected")),
      el("div", { class: "line pair-tools" },
        el("button", { type: "button", class: "button button-secondary button-s", onclick: swap }, "Swap chosen and rejected", el("kbd", {}, "S")),
        number(desk, "margin", "Margin", "how much better, if known")),
      difference(desk));
  }

  /** Both answers once more, each with the words marked that the other has not. */
  function difference(desk) {
    const [left, right] = [el("div", { class: "revision" }), el("div", { class: "revision" })];
    const same = el("p", { class: "notice notice-warning", role: "status" }, "Both answers are the same: there is nothing to prefer.");
    const answer = (name) => desk.draft.content[name].map((turn) => turn.content).join("\n\n");
    function drawNow() {
      const [rejected, chosen] = [answer("rejected"), answer("chosen")];
      const [gone, fresh] = window.ratchet.diff.sides(rejected, chosen);
      left.replaceChildren(...fresh);
      right.replaceChildren(...gone);
      same.hidden = chosen !== rejected || !chosen;
    }
    let waiting = 0;
    desk.onMark(() => { clearTimeout(waiting); waiting = setTimeout(() => left.isConnected && drawNow(), WAIT); });
    drawNow();
    return el("section", { class: "difference", "aria-label": "What differs between the answers" }, same,
      el("details", { class: "fold", open: true }, el("summary", {}, "What differs"), el("div", { class: "answers" }, left, right)));
  }

  function thumbs(desk) {
    const { content } = desk.draft;
    const choose = (label) => { desk.step("changed the thumb"); content.label = label; desk.redraw(); };
    const button = (label, words) => el("button", { type: "button", "aria-pressed": String(content.label === label), onclick: () => choose(label) }, words);
    return part(desk, "completion", el("div", { class: "segmented", role: "group", "aria-label": "Is the answer good?" }, button(true, "Good"), button(false, "Bad")));
  }

  const scored = (desk) => part(desk, "completion", number(desk, "score", "Score", "a number, higher is better"));

  /** A number of the content; an empty field takes it away. */
  function number(desk, name, label, hint) {
    const { content } = desk.draft;
    const id = `row-${name}`;
    const input = el("input", { id, type: "number", step: "any", value: content[name] ?? "", placeholder: hint, oninput: () => {
      desk.typed(`the ${name}`);
      if (input.value.trim() === "") content[name] = null;
      else content[name] = Number(input.value);
      desk.mark();
    } });
    return el("div", { class: "field number-field" }, el("label", { for: id }, label), input);
  }

  /* ---- Answers of a prompt ------------------------------------------------------------------------------- */

  function answers(desk) {
    const list = desk.draft.content.answers || [];
    const redo = (label, run) => { desk.step(label); run(); desk.redraw(); };
    return el("section", { class: "stack-s prompt-answers" }, list.length > 0 && el("h3", {}, `Answers that exist (${list.length})`),
      list.map((answer, at) => el("div", { class: "part" },
        el("div", { class: "row-between" },
          el("div", { class: "line" }, [["model", "Model", "text"], ["score", "Score", "number"], ["rank", "Rank", "number"]].map(([name, label, type]) => {
            const input = el("input", { class: "input", type, step: "any", value: answer[name] ?? "", placeholder: label, "aria-label": `Answer ${at + 1}: ${label.toLowerCase()}`, oninput: () => {
              desk.typed(`answer ${at + 1}`);
              if (input.value === "") delete answer[name];
              else answer[name] = type === "number" ? Number(input.value) : input.value;
              desk.mark();
            } });
            return input;
          })),
          el("button", { type: "button", class: "turn-tool", "aria-label": `Delete answer ${at + 1}`, title: "Delete this answer", onclick: () => redo(`deleted answer ${at + 1}`, () => { list.splice(at, 1); desk.draft.content.answers = list; }) }, "×")),
        Array.isArray(answer.messages) && desk.turns.list(`answers.${at}.messages`))),
      el("button", { type: "button", class: "button button-ghost button-s add-turn", onclick: () => redo("added an answer", () => { (desk.draft.content.answers ||= []).push({ messages: [blank("assistant")] }); }) }, "Add an answer"));
  }

  parts.forms = { form, empty: (kind) => (EMPTY[kind] || EMPTY.sft)(), swap: () => document.querySelector(".editor .pair-tools .button")?.click() };
})();
