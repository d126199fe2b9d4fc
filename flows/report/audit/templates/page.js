"use strict";
// Only search and filters. Without this the page is whole, and the forms stay hidden.
for (const form of document.querySelectorAll("form.filters")) {
  const list = document.getElementById(form.dataset.for);
  const count = document.getElementById(form.dataset.count);
  const all = count.textContent;
  const items = Array.from(list.querySelectorAll("[data-item]"), (node) => ({
    node,
    text: node.textContent.normalize("NFKC").toLowerCase(),
  }));
  const groups = Array.from(list.querySelectorAll("[data-group]")).reverse();
  const nothing = list.querySelector("[data-nothing]");

  const apply = () => {
    const asked = Object.fromEntries(new FormData(form));
    const words = asked.text.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    const keys = Object.keys(asked).filter((key) => key !== "text" && asked[key] !== "");
    let left = 0;
    for (const { node, text } of items) {
      const fits = keys.every((key) => node.dataset[key] === asked[key]) && words.every((word) => text.includes(word));
      node.hidden = !fits;
      left += fits;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-item]:not([hidden])");
    nothing.hidden = left > 0;
    const noun = form.dataset.noun + (items.length === 1 ? "" : "s");
    count.textContent = left === items.length ? all : `${left} of ${items.length} ${noun}`;
  };

  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply(); // a browser that comes back keeps what was typed
}
