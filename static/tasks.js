/*
 * A task that was begun from a page, followed to its end: ratchet.taskEnded(id, {begun, over})
 *
 *   begun(task)    called at each look while it waits or works
 *   over()         whether nobody waits any more; then the task stands as it was seen last
 *
 * Returns the task. ratchet.resultOf(task, otherwise) is what it found, or throws Error with its sentence.
 */
(() => {
  "use strict";

  const { api } = window.ratchet;
  const AGAIN = 800; // ms between two looks

  window.ratchet.taskEnded = async (id, { begun = () => {}, over = () => false } = {}) => {
    for (;;) {
      const task = await api(`/api/data/tasks/${encodeURIComponent(id)}`);
      if (!["queued", "running"].includes(task.status) || over()) return task;
      begun(task);
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  };

  window.ratchet.resultOf = (task, otherwise) => {
    if (task.status === "done") return task.result;
    throw new Error(task.error?.sentence || otherwise);
  };
})();
