/*
 * Curves as light SVG: axes with round numbers, a smoothed line over the raw one, gaps where a value was no number,
 * and the values under the pointer or, with the arrow keys, under the hand. Used as `ratchet.Curve`.
 *
 *   curve.show(title, [{name, points}], {last, range, smoothing})   up to three lines; range: [from, to] or null
 *   curve.onZoom = (from, to) => …                                  a stretch was drawn; null, null: the whole run
 *
 * Zoom: draw a stretch with the pointer, or + and − around the marked step; a double click or 0 goes back.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const MANY = 40; // points from which a curve is smoothed without being asked to
  const ENDS = 6; // neighbours that even the first and the last point are smoothed with

  const figure = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(2);
    return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(3).replace(/\.?0+$/, "") || "0";
  };

  /** Round numbers that divide an axis into about `count` parts. */
  function ticks(low, high, count) {
    const raw = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
    return found;
  }

  /** The mean of each point's neighbourhood, `percent` of the points to both sides; null where it would hide more than it shows. */
  function smoothed(points, percent) {
    const drawn = points.filter(([, value]) => value !== null);
    const reach = Math.round((drawn.length * percent) / 200);
    if (!reach || (drawn.length < MANY && percent <= 5)) return null;
    const sums = [0];
    for (const [, value] of drawn) sums.push(sums.at(-1) + value);
    return drawn.map(([step], index) => {
      const near = Math.max(Math.min(reach, index, drawn.length - 1 - index), Math.min(reach, ENDS)); // both sides alike, so that the ends do not lag
      const [low, high] = [Math.max(0, index - near), Math.min(drawn.length, index + near + 1)];
      return [step, (sums[high] - sums[low]) / (high - low)];
    });
  }

  const finite = (points) => points.filter(([, value]) => value !== null);

  class Curve {
    constructor({ height = 220, quiet = false } = {}) {
      this.height = height;
      this.lines = [];
      this.picked = null;
      this.onZoom = null;
      this.tip = el("div", { class: "curve-tip", hidden: true });
      this.plot = el("div", { class: "curve-plot", tabindex: quiet ? null : 0, role: "img", style: { "--height": `${height}px` } });
      this.legend = el("p", { class: "curve-legend small", hidden: true });
      this.element = el("div", { class: "curve" }, this.plot, this.tip, this.legend);
      this.listen();
      this.watcher = new ResizeObserver(() => this.draw());
      this.watcher.observe(this.plot);
    }

    listen() {
      const { plot } = this;
      plot.addEventListener("pointermove", (event) => (this.from === undefined ? this.point(event) : this.drag(event)));
      plot.addEventListener("pointerleave", () => this.pick(null));
      plot.addEventListener("blur", () => this.pick(null));
      plot.addEventListener("keydown", (event) => this.key(event));
      plot.addEventListener("pointerdown", (event) => this.grip(event));
      plot.addEventListener("pointerup", (event) => this.drop(event));
      plot.addEventListener("pointercancel", () => { this.from = undefined; this.draw(); });
      plot.addEventListener("dblclick", () => this.onZoom?.(null, null));
    }

    show(title, lines, { last = 0, range = null, smoothing = 5 } = {}) {
      Object.assign(this, { title, lines, last, range, smoothing });
      if (this.from === undefined) this.draw();
    }

    /** The points of the first line, by which steps are picked. */
    get points() {
      return this.lines[0]?.points || [];
    }

    draw() {
      const drawn = this.lines.map((line) => ({ ...line, points: finite(line.points) })).filter((line) => line.points.length);
      if (!drawn.length) {
        this.plot.setAttribute("aria-label", "No values yet");
        this.plot.replaceChildren(el("p", { class: "curve-empty muted" }, "The curve begins with the first step."));
        this.legend.hidden = true;
        return;
      }
      const width = Math.max(200, this.plot.clientWidth);
      this.scale(drawn, width);
      this.mark = el("svg:g", { class: "curve-mark" });
      this.plot.setAttribute("aria-label", drawn.map(({ name, points }, at) => `${at ? name : this.title}: from ${figure(points[0][1])} to ${figure(points.at(-1)[1])} in ${points.at(-1)[0]} steps`).join("; "));
      this.plot.replaceChildren(el("svg", { viewBox: `0 0 ${width} ${this.height}`, width, height: this.height, "aria-hidden": "true" },
        ticks(...this.values, this.height > 160 ? 6 : 3).map((tick) => this.row(tick)),
        ticks(...this.steps, Math.max(3, Math.floor(width / 110))).filter((tick) => tick % 1 === 0).map((tick) =>
          el("svg:text", { x: this.x(tick), y: this.height - 6, class: "curve-tick", "text-anchor": "middle" }, tick)),
        this.clip(width), el("svg:g", { "clip-path": `url(#${this.clipId})` }, this.lines.map((line, at) => this.path(line, at))),
        this.mark));
      this.legend.hidden = drawn.length < 2;
      this.legend.replaceChildren(...this.lines.map((line, at) => el("span", { class: `line-${at}` }, line.name)));
      this.pick(this.picked);
    }

    scale(drawn, width) {
      const [first, last] = this.range || [Math.min(0, ...drawn.map((line) => line.points[0][0])), Math.max(this.last || 0, 2, ...drawn.map((line) => line.points.at(-1)[0]))];
      const within = drawn.flatMap((line) => line.points.filter(([step]) => step >= first && step <= last).map(([, value]) => value));
      const values = within.length ? within : drawn.flatMap((line) => line.points.map(([, value]) => value));
      let [low, high] = [Infinity, -Infinity];
      for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      if (high - low < 1e-12) [low, high] = [low - Math.abs(low) * 0.1 - 1e-6, high + Math.abs(high) * 0.1 + 1e-6];
      const pad = (high - low) * 0.06;
      const span = { left: 46, right: width - 10, top: 10, bottom: this.height - 24 };
      Object.assign(this, { span, steps: [first, last], values: [low - pad, high + pad] });
      this.x = (step) => span.left + ((step - first) / (last - first)) * (span.right - span.left);
      this.step = (x) => first + ((x - span.left) / (span.right - span.left)) * (last - first);
      this.y = (value) => span.bottom - ((value - low + pad) / (high - low + 2 * pad)) * (span.bottom - span.top);
    }

    clip(width) {
      this.clipId ??= `curve-${Math.random().toString(36).slice(2)}`;
      return el("svg:clipPath", { id: this.clipId }, el("svg:rect", { x: this.span.left - 4, y: 0, width: Math.max(0, width - this.span.left), height: this.height }));
    }

    path({ points }, at) {
      const mean = smoothed(points, this.smoothing);
      const end = (mean || finite(points)).at(-1);
      return [el("svg:path", { d: this.line(points), class: `curve-line line-${at}${mean ? " is-raw" : ""}` }),
        mean && el("svg:path", { d: this.line(mean), class: `curve-line line-${at}` }),
        end && el("svg:circle", { cx: this.x(end[0]), cy: this.y(end[1]), r: 3.5, class: `curve-dot line-${at}` })];
    }

    row(tick) {
      const y = this.y(tick);
      return [el("svg:line", { x1: this.span.left, x2: this.span.right, y1: y, y2: y, class: "curve-grid" }),
        el("svg:text", { x: this.span.left - 8, y: y + 4, class: "curve-tick", "text-anchor": "end" }, figure(tick).replace(/\.?0*e/, "e"))];
    }

    /** A path with a gap wherever a value was not finite. */
    line(points) {
      let pen = "M";
      return points.map(([step, value]) => {
        if (value === null) {
          pen = "M";
          return "";
        }
        const part = `${pen}${this.x(step).toFixed(1)} ${this.y(value).toFixed(1)}`;
        pen = "L";
        return part;
      }).join("");
    }

    /* ---- Zoom ---- */

    at(event) {
      const x = event.clientX - this.plot.getBoundingClientRect().left;
      return Math.min(Math.max(x, this.span.left), this.span.right);
    }

    grip(event) {
      if (!this.onZoom || event.button !== 0 || !this.x) return;
      this.from = this.at(event);
      this.plot.setPointerCapture(event.pointerId);
    }

    drag(event) {
      const [low, high] = [this.from, this.at(event)].sort((a, b) => a - b);
      this.tip.hidden = true;
      this.mark.replaceChildren(el("svg:rect", { x: low, y: this.span.top, width: high - low, height: this.span.bottom - this.span.top, class: "curve-stretch" }));
    }

    drop(event) {
      if (this.from === undefined) return;
      const [low, high] = [this.from, this.at(event)].sort((a, b) => a - b);
      this.from = undefined;
      if (high - low > 12) this.ask(this.step(low), this.step(high));
      else this.draw();
    }

    ask(from, to) {
      if (to - from >= 2) this.onZoom(Math.max(0, Math.floor(from)), Math.ceil(to));
    }

    /** Half or twice the stretch around the marked step, or the middle. */
    zoom(factor) {
      if (!this.onZoom || !this.steps) return;
      const [first, last] = this.steps;
      const middle = this.points[this.picked]?.[0] ?? (first + last) / 2;
      const half = ((last - first) * factor) / 2;
      if (factor > 1 && half * 2 >= this.last) this.onZoom(null, null);
      else this.ask(middle - half, middle + half);
    }

    /* ---- Values ---- */

    point(event) {
      if (!this.points.length || !this.x) return;
      const at = this.at(event);
      let best = 0;
      this.points.forEach(([step], index) => {
        if (Math.abs(this.x(step) - at) < Math.abs(this.x(this.points[best][0]) - at)) best = index;
      });
      this.pick(best);
    }

    key(event) {
      const does = { "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.onZoom?.(null, null),
        ArrowLeft: () => this.walk(-1), ArrowRight: () => this.walk(1) }[event.key];
      if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      does();
    }

    walk(move) {
      if (this.points.length) this.pick(Math.min(this.points.length - 1, Math.max(0, (this.picked ?? this.points.length - 1) + move)));
    }

    pick(index) {
      this.picked = index === null || !this.points[index] ? null : index;
      this.tip.hidden = this.picked === null;
      if (!this.mark) return;
      if (this.picked === null) {
        this.mark.replaceChildren();
        return;
      }
      const [step, value] = this.points[this.picked];
      const others = this.lines.slice(1).map((line) => line.points.find(([one]) => one >= step)?.[1]);
      const x = this.x(step);
      this.mark.replaceChildren(el("svg:line", { x1: x, x2: x, y1: this.span.top, y2: this.span.bottom, class: "curve-cross" }),
        ...(value === null ? [] : [el("svg:circle", { cx: x, cy: this.y(value), r: 4, class: "curve-dot" })]));
      this.tip.replaceChildren(el("b", {}, value === null ? "not a number" : figure(value)),
        ...others.filter((other) => Number.isFinite(other)).map((other) => ` / ${figure(other)}`), el("span", {}, ` step ${step}`));
      this.tip.style.setProperty("--x", `${Math.min(Math.max(x, 60), this.span.right - 50)}px`);
    }
  }

  Object.assign(window.ratchet, { Curve, figure });
})();
