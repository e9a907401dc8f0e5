/*
 * How far a study is answered ahead of those who judge: a bar with pace and estimate, kept true while answers come.
 *
 *   studies.ahead(study)      the element of one study
 *   studies.follow(place)     looks again while something in `place` is still to be answered; answers a function that stops
 */
(() => {
  "use strict";

  const { el, api, poll, studies } = window.ratchet;
  const LOOK = 2500; // milliseconds
  const number = (value) => value.toLocaleString("en");

  studies.seconds = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

  studies.ahead = (study) => {
    const element = el("div", { class: "studies-ahead", dataset: { study: study.name } });
    draw(element, study);
    return element;
  };

  function draw(element, { name, ahead }) {
    const coming = ahead.waiting + ahead.answering;
    const of = ahead.ready + coming;
    element.dataset.coming = coming;
    element.hidden = !of && !ahead.failed;
    const words = [
      `${number(ahead.ready)} ready to judge`,
      coming > 0 && `${number(coming)} to be answered`,
      coming > 0 && ahead.per_minute > 0 && `${number(Math.round(ahead.per_minute * 10) / 10)} a minute`,
      ahead.eta_seconds !== null && `about ${studies.seconds(ahead.eta_seconds)} to go`,
      ahead.failed > 0 && `${number(ahead.failed)} failed`,
    ].filter(Boolean);
    element.replaceChildren(...[
      coming > 0 && el("div", { class: "progress", role: "progressbar", "aria-label": `Answered ahead in ${name}`, "aria-valuemin": 0, "aria-valuemax": of, "aria-valuenow": ahead.ready,
        style: { "--value": `${of ? (100 * ahead.ready) / of : 0}%` } }, el("span", {})),
      el("span", { class: "muted small num" }, words.join(" · ")),
    ].filter(Boolean));
  }

  studies.follow = (place) => {
    const watching = poll(async () => {
      const shown = [...place.querySelectorAll(".studies-ahead")];
      if (!shown.some((one) => Number(one.dataset.coming) > 0)) return;
      const { studies: all } = await api("/api/studies");
      for (const element of shown) {
        const study = all.find((one) => one.name === element.dataset.study);
        if (study) draw(element, study);
      }
    }, LOOK);
    return watching.stop;
  };
})();
