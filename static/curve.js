/*
 * A curve as light SVG: axes with round numbers, a smoothed line over the raw one, gaps where a value was no number,
 * and the value under the pointer or, with the arrow keys, under the hand. Used by run.js as `ratchet.Curve`.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;

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

  /** The mean of each point's neighbourhood; with few points the curve is its own best picture. */
  function smoothed(points) {
    const drawn = points.filter(([, value]) => value !== null);
    if (drawn.length < 40) return null;
    const reach = Math.max(2, Math.round(drawn.length / 40));
    return drawn.map(([step], index) => {
      const near = Math.min(reach, index, drawn.length - 1 - index); // both sides alike, so that the ends do not lag
      const part = drawn.slice(index - near, index + near + 1);
      return [step, part.reduce((sum, [, value]) => sum + value, 0) / part.length];
    });
  }

  class Curve {
    constructor() {
      this.points = [];
      this.picked = null;
      this.tip = el("div", { class: "curve-tip", hidden: true });
      this.plot = el("div", { class: "curve-plot", tabindex: 0, role: "img" });
      this.element = el("div", { class: "curve" }, this.plot, this.tip);
      this.plot.addEventListener("pointermove", (event) => this.point(event));
      this.plot.addEventListener("pointerleave", () => this.pick(null));
      this.plot.addEventListener("blur", () => this.pick(null));
      this.plot.addEventListener("keydown", (event) => this.walk(event));
      this.watcher = new ResizeObserver(() => this.draw());
      this.watcher.observe(this.plot);
    }

    show(title, points, total) {
      this.title = title;
      this.points = points;
      this.total = total;
      this.draw();
    }

    draw() {
      const drawn = this.points.filter(([, value]) => value !== null);
      const width = Math.max(260, this.plot.clientWidth);
      const height = 220;
      if (!drawn.length) {
        this.plot.setAttribute("aria-label", "No values yet");
        this.plot.replaceChildren(el("p", { class: "curve-empty muted" }, "The curve begins with the first step."));
        return;
      }
      const values = drawn.map(([, value]) => value);
      let [low, high] = [Math.min(...values), Math.max(...values)];
      if (high - low < 1e-12) [low, high] = [low - Math.abs(low) * 0.1 - 1e-6, high + Math.abs(high) * 0.1 + 1e-6];
      const pad = (high - low) * 0.06;
      const span = { left: 46, right: width - 10, top: 10, bottom: height - 24 };
      const last = Math.max(this.total || 0, drawn.at(-1)[0], 2);
      const first = Math.min(0, drawn[0][0]);
      this.x = (step) => span.left + ((step - first) / (last - first)) * (span.right - span.left);
      this.y = (value) => span.bottom - ((value - low + pad) / (high - low + 2 * pad)) * (span.bottom - span.top);
      this.span = span;
      const mean = smoothed(this.points);
      this.mark = el("svg:g", { class: "curve-mark" });
      this.plot.setAttribute("aria-label", `${this.title}: from ${figure(values[0])} to ${figure(values.at(-1))} in ${drawn.at(-1)[0]} steps`);
      this.plot.replaceChildren(el("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
        ticks(low - pad, high + pad, 6).map((tick) => this.row(tick, span)),
        ticks(first, last, Math.max(3, Math.floor(width / 110))).filter((tick) => tick % 1 === 0).map((tick) =>
          el("svg:text", { x: this.x(tick), y: height - 6, class: "curve-tick", "text-anchor": "middle" }, tick)),
        el("svg:path", { d: this.line(this.points), class: mean ? "curve-line is-raw" : "curve-line" }),
        mean && el("svg:path", { d: this.line(mean), class: "curve-line" }),
        el("svg:circle", { cx: this.x(drawn.at(-1)[0]), cy: this.y((mean || drawn).at(-1)[1]), r: 3.5, class: "curve-dot" }),
        this.mark));
      this.pick(this.picked);
    }

    row(tick, span) {
      const y = this.y(tick);
      return [el("svg:line", { x1: span.left, x2: span.right, y1: y, y2: y, class: "curve-grid" }),
        el("svg:text", { x: span.left - 8, y: y + 4, class: "curve-tick", "text-anchor": "end" }, figure(tick))];
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

    point(event) {
      if (!this.points.length || !this.x) return;
      const at = event.clientX - this.plot.getBoundingClientRect().left;
      let best = 0;
      this.points.forEach(([step], index) => {
        if (Math.abs(this.x(step) - at) < Math.abs(this.x(this.points[best][0]) - at)) best = index;
      });
      this.pick(best);
    }

    walk(event) {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move || !this.points.length) return;
      event.preventDefault();
      this.pick(Math.min(this.points.length - 1, Math.max(0, (this.picked ?? this.points.length - 1) + move)));
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
      const x = this.x(step);
      this.mark.replaceChildren(el("svg:line", { x1: x, x2: x, y1: this.span.top, y2: this.span.bottom, class: "curve-cross" }),
        ...(value === null ? [] : [el("svg:circle", { cx: x, cy: this.y(value), r: 4, class: "curve-dot" })]));
      this.tip.replaceChildren(el("b", {}, value === null ? "not a number" : figure(value)), el("span", {}, ` step ${step}`));
      this.tip.style.setProperty("--x", `${Math.min(Math.max(x, 60), this.span.right - 50)}px`);
    }
  }

  Object.assign(window.ratchet, { Curve, figure });
})();
