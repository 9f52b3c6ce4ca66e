// Filters the list of checks; the page is whole without it.
(() => {
  "use strict";
  const list = document.getElementById("list");
  const box = document.getElementById("q");
  const bar = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const buttons = [...bar.querySelectorAll("button")];
  const rows = [...list.children].filter((node) => !node.classList.contains("none"));
  const texts = new Map();
  let outcome = "";
  let written = null;

  const textOf = (row) => {
    if (!texts.has(row)) {
      const parts = row.querySelectorAll(".mark, .what, .kind"); // not the time: 12 is no 12 ms
      texts.set(row, [...parts].map((part) => part.textContent).join(" ").toLowerCase());
    }
    return texts.get(row);
  };

  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits =
        (!outcome || row.classList.contains(outcome)) &&
        (!words.length || words.every((word) => textOf(row).includes(word)));
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === rows.length ? `${count}` : `${count} of ${rows.length}`;
    none.hidden = count > 0 || !rows.length;
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.value === outcome));
    }
  };

  // The state lives in the address, so that a filtered list can be sent to somebody.
  const store = () => {
    const state = new URLSearchParams();
    if (outcome) state.set("outcome", outcome);
    if (box.value) state.set("q", box.value);
    written = `#${state.toString() || "outcome="}`;
    location.replace(written);
  };

  const follow = () => {
    if (location.hash === written) return;
    written = null;
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    if (target) {
      const row = target.closest("li");
      if (!row || !list.contains(row)) return;
      if (row.hidden) {
        outcome = box.value = "";
        apply();
      }
      const details = row.querySelector("details");
      if (details) details.open = true;
      row.scrollIntoView();
      return;
    }
    const state = new URLSearchParams(location.hash.slice(1));
    const wanted = state.get("outcome") || "";
    outcome = buttons.some((button) => button.value === wanted) ? wanted : "";
    box.value = state.get("q") || "";
    apply();
  };

  bar.hidden = false;
  box.addEventListener("input", () => {
    apply();
    store();
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      outcome = button.value;
      apply();
      store();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== box && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      box.focus();
    } else if (event.key === "Escape" && event.target === box) {
      box.value = "";
      apply();
      store();
    }
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
