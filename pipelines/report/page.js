"use strict";

// a text is as large as the number it begins with; what has none comes last, whichever way
const valueOf = (row, place) => {
  const text = row.cells[place].textContent.trim();
  const number = Number.parseFloat(text.replaceAll(",", "").replace("−", "-"));
  return { text, number };
};

function sort(table, heading) {
  const place = heading.cellIndex;
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  const rows = [...table.tBodies[0].rows];
  const values = new Map(rows.map((row) => [row, valueOf(row, place)]));
  const numeric = rows.every((row) => values.get(row).text === "" || !Number.isNaN(values.get(row).number));
  rows.sort((one, other) => {
    const [a, b] = [values.get(one), values.get(other)];
    if (!a.text || !b.text) return Boolean(b.text) - Boolean(a.text);
    // dates begin with their year
    const order = (numeric && a.number - b.number) || a.text.localeCompare(b.text);
    return ascending ? order : -order;
  });
  table.tBodies[0].append(...rows);
  for (const each of heading.parentElement.cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

function filter(table, wanted) {
  const words = wanted.toLowerCase().split(/\s+/);
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
}

for (const table of document.querySelectorAll("table")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(table, heading));
    heading.append(button);
  }
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter";
  input.setAttribute("aria-label", table.parentElement.getAttribute("aria-label").replace("Table", "Filter"));
  input.addEventListener("input", () => filter(table, input.value));
  table.parentElement.before(input);
}

document.getElementById("scheme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.style.colorScheme
    ? root.style.colorScheme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.style.colorScheme = dark ? "light" : "dark";
});
