/*
 * A run being watched (run_card.js), and the jobs before it.
 *
 * Everything is read again each second from /api/jobs (each fourth second while nothing is at work), so the same run
 * is seen in any tab, after a refresh and after a restart.
 */
(() => {
  "use strict";

  const { el, api, keys, poll, toast } = window.ratchet;
  const { spell, status, told, canResume, Run } = window.ratchet.training;

  window.ratchet.widgets.run = (element) => {
    const run = new Run(() => look(true));
    const tell = told();
    const list = el("div", { class: "card card-flush job-list", hidden: true });
    const empty = el("div", { class: "empty" }, el("h2", {}, "Nothing has been trained yet"),
      el("p", {}, "Fill in the form and press Train. What happens then is shown here, and goes on when you close the tab."));
    element.append(el("div", { class: "stack" }, empty, list));
    let chosen = new URLSearchParams(location.search).get("job");
    let known = null;
    let looked = null;
    let idle = 0;

    async function look(force = false) {
      idle = force || known === null || known.unfinished ? 0 : (idle + 1) % 4;
      if (idle) return;
      const before = known;
      known = await api("/api/jobs");
      tell.ended(known.jobs);
      if (before?.unfinished > known.unfinished) window.dispatchEvent(new CustomEvent("ratchet:job-ended"));
      await draw();
    }

    async function draw() {
      const { jobs } = known;
      empty.hidden = jobs.length > 0 || Boolean(chosen);
      const listed = jobs.find((one) => one.job === chosen || String(one.number) === chosen) || (chosen ? null : jobs.find((one) => one.status === "running") || jobs[0]);
      const job = await whole(listed, listed?.job || chosen);
      if (!job) return;
      if (!run.element.isConnected) empty.before(run.element);
      drawList(jobs, job);
      await run.show(job);
    }

    /** A job with what the list leaves out, the doctor's sentences; one that has ended is asked for once. */
    async function whole(listed, id) {
      if (!id) return null;
      if (listed && looked && looked.job === listed.job && looked.status === listed.status && !["queued", "running"].includes(listed.status)) return looked;
      looked = await api(`/api/jobs/${encodeURIComponent(id)}`).catch((error) => gone(error));
      return looked;
    }

    function gone(error) {
      toast(error.message, "bad");
      choose(null);
      return null;
    }

    function drawList(jobs, shown) {
      list.hidden = jobs.length < 1;
      const row = (job) => el("tr", { "aria-selected": String(job.job === shown.job) },
        el("td", { class: "num" }, job.number),
        el("td", {}, el("a", { class: "link", href: `?job=${job.job}`, onclick: (event) => { event.preventDefault(); choose(job.job); } }, job.name),
          el("div", { class: "muted small" }, `${job.method.toUpperCase()} from ${job.base}`)),
        el("td", {}, status(job)),
        el("td", { class: "num" }, job.status === "running" && job.total_steps ? `${Math.round((100 * job.step) / job.total_steps)} %` : spell(job.seconds)));
      const body = el("tbody", {}, jobs.map(row));
      if (body.isEqualNode(list.querySelector("tbody"))) return; // a redraw would take the focus from its links
      list.replaceChildren(el("div", { class: "card-head" }, el("h2", {}, "Jobs"), tell.button),
        el("div", { class: "table-wrap" }, el("table", { class: "table table-s" },
          el("thead", {}, el("tr", {}, el("th", { class: "num" }, "No."), el("th", {}, "Model"), el("th", {}, "State"), el("th", { class: "num" }, "Time"))), body)));
    }

    function choose(job) {
      chosen = job;
      const query = new URLSearchParams(location.search);
      if (job) query.set("job", job);
      else query.delete("job");
      history.replaceState(null, "", `${location.pathname}?${query}`);
      return look(true).catch((error) => toast(error.message, "bad"));
    }

    const started = async ({ detail }) => {
      await choose(detail.job);
      run.element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    };
    window.addEventListener("ratchet:job", started);
    const unbind = keys.add({ key: "r", label: "Resume the run", group: "Run", run: () => { run.actions.resume(); }, when: () => Boolean(run.job) && canResume(run.job) });
    const polling = poll(look, 1000);
    return () => {
      polling.stop();
      unbind();
      window.removeEventListener("ratchet:job", started);
    };
  };
})();
