// Brings the explorers of a static page to life: reads each one's state and gives it a model without a kernel.

(() => {
  function makeModel(state) {
    const listeners = new Map();
    return {
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        for (const listen of [...(listeners.get(`change:${name}`) || [])]) listen();
      },
      on(event, listen) {
        listeners.set(event, [...(listeners.get(event) || []), listen]);
      },
      off(event, listen) {
        listeners.set(event, (listeners.get(event) || []).filter((each) => each !== listen));
      },
      save_changes() {}, // there is no kernel to tell
    };
  }

  function mount(host) {
    const explorer = (window.llmcourseExplorers || {})[host.dataset.explorer];
    const state = host.querySelector('script[type="application/json"]');
    if (!explorer || !state || host.dataset.mounted) return;
    host.dataset.mounted = "true";
    const place = document.createElement("div");
    host.prepend(place);
    explorer.render({ model: makeModel(JSON.parse(state.textContent)), el: place });
    const fallback = host.querySelector(".llmc-fallback");
    if (!fallback) return;
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    details.className = "llmc-details";
    summary.textContent = "In numbers, as a table";
    details.append(summary, fallback);
    host.append(details);
  }

  const mountAll = () => document.querySelectorAll(".llmc-explorer[data-explorer]").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
})();
