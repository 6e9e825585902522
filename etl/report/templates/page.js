"use strict";
// Everything is readable without this script; it sorts tables, filters the rules and opens what a link or a print needs.

const number = (text) => {
  const plain = Number(text.replaceAll(",", ""));
  return text.trim() === "" || Number.isNaN(plain) ? null : plain;
};

const compare = (one, other) => {
  const [a, b] = [number(one), number(other)];
  if (a !== null && b !== null) return a - b;
  if (a !== null || b !== null) return a === null ? 1 : -1;
  return one.localeCompare(other);
};

const sortBy = (heading) => {
  const table = heading.closest("table");
  const column = [...heading.parentElement.children].indexOf(heading);
  const isDown = heading.getAttribute("aria-sort") === "ascending";
  for (const each of heading.parentElement.children) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  const cell = (row) => row.children[column].dataset.key ?? row.children[column].textContent.trim();
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(cell(a), cell(b)) * (isDown ? -1 : 1));
  table.tBodies[0].append(...rows);
};

for (const heading of document.querySelectorAll("table.sortable thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sortBy(heading));
}

// A table of many rows gets a box that keeps the rows with a text.
const word = document.querySelector("#counter").dataset.filter;
for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 8) continue;
  const label = document.createElement("label");
  const box = document.createElement("input");
  const told = document.createElement("output");
  label.className = "find";
  box.type = "search";
  label.append(word, box, " ", told);
  table.before(label);
  box.addEventListener("input", () => {
    const text = box.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(text);
    told.textContent = `${rows.filter((row) => !row.hidden).length} / ${rows.length}`;
  });
}

// A shadow tells that a table goes on to the right.
const markMore = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
const resized = new ResizeObserver((entries) => entries.forEach((entry) => markMore(entry.target)));
for (const box of document.querySelectorAll(".wide")) {
  resized.observe(box);
  box.addEventListener("scroll", () => markMore(box), { passive: true });
}

const rules = [...document.querySelectorAll("details.rule")];
const search = document.querySelector("#search");
const wanted = document.querySelector("#wanted");
const counter = document.querySelector("#counter");

const filter = () => {
  const text = search.value.trim().toLowerCase();
  let shown = 0;
  for (const rule of rules) {
    const isShown = rule.textContent.toLowerCase().includes(text) && (!wanted.value || rule.dataset.status.split(" ").includes(wanted.value));
    rule.hidden = !isShown;
    shown += isShown;
  }
  counter.textContent = `${shown} / ${rules.length} ${counter.dataset.word}`;
};

search.addEventListener("input", filter);
wanted.addEventListener("change", filter);
document.querySelector(".filters").hidden = false;
filter();

const openTarget = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target || target.tagName !== "DETAILS") return;
  target.hidden = false;
  target.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", openTarget);
openTarget();

let closed = [];
addEventListener("beforeprint", () => {
  closed = rules.filter((rule) => !rule.open && rule.dataset.status !== "passed");
  for (const rule of closed) rule.open = true;
});
addEventListener("afterprint", () => {
  for (const rule of closed) rule.open = false;
});
