"use strict";
// Tables: sort by a click on a column, search, and turn pages. The rows come from the JSON beside each table.
(() => {
  const SHOWN = 50;
  const whole = new Intl.NumberFormat("en-US");
  const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
  const write = {
    text: (value) => String(value),
    number: (value) => whole.format(value),
    money: (value) => money.format(value / 100),
    share: (value) => (100 * value).toFixed(2) + " %",
  };
  const collate = new Intl.Collator("en", { numeric: true });

  function compare(a, b, kind) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1; // what is absent comes last
    return kind === "text" ? collate.compare(a, b) : a - b;
  }

  function animate(box) {
    const heads = [...box.querySelectorAll("thead th")];
    const kinds = heads.map((head) => head.dataset.kind);
    const all = JSON.parse(box.querySelector("script").textContent);
    const texts = all.map((row) => row.map((value, i) => (value === null ? "" : write[kinds[i]](value))));
    const body = box.querySelector("tbody");
    const search = box.querySelector("input");
    const pages = box.querySelector(".pages");
    const state = box.querySelector(".state");
    const [earlier, later] = [box.querySelector(".earlier"), box.querySelector(".later")];
    let order = all.map((_, i) => i);
    let first = 0;

    function show() {
      const words = search ? search.value.trim().toLowerCase().split(/\s+/).filter(Boolean) : [];
      const found = words.length
        ? order.filter((i) => { const text = texts[i].join("\u0000").toLowerCase(); return words.every((word) => text.includes(word)); })
        : order;
      first = Math.min(first, Math.max(0, Math.floor((found.length - 1) / SHOWN) * SHOWN));
      const rows = found.slice(first, first + SHOWN).map((i) => {
        const row = document.createElement("tr");
        texts[i].forEach((text, column) => {
          const cell = document.createElement("td");
          if (kinds[column] !== "text") cell.className = "right";
          cell.textContent = text;
          row.append(cell);
        });
        return row;
      });
      body.replaceChildren(...rows);
      pages.hidden = all.length <= SHOWN && !words.length;
      earlier.disabled = first === 0;
      later.disabled = first + SHOWN >= found.length;
      state.textContent = found.length
        ? `Rows ${whole.format(first + 1)} to ${whole.format(Math.min(first + SHOWN, found.length))} of ${whole.format(found.length)}`
        : "No row has these words";
    }

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      const arrow = document.createElement("span");
      arrow.setAttribute("aria-hidden", "true"); // the state is told by aria-sort
      button.append(arrow);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = kinds[column] === "text" ? head.getAttribute("aria-sort") === "ascending" : head.getAttribute("aria-sort") !== "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        order = all.map((_, i) => i).sort((a, b) => {
          const sign = all[a][column] === null || all[b][column] === null ? 1 : down ? -1 : 1;
          return sign * compare(all[a][column], all[b][column], kinds[column]) || a - b;
        });
        first = 0;
        show();
      });
    });
    if (search) {
      search.closest(".search").hidden = false;
      search.addEventListener("input", () => { first = 0; show(); });
    }
    earlier.addEventListener("click", () => { first = Math.max(0, first - SHOWN); show(); });
    later.addEventListener("click", () => { first += SHOWN; show(); });
    show();
  }

  document.querySelectorAll("[data-table]").forEach(animate);
})();
