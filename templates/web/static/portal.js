// What makes the portal nicer on a narrow screen; without this script it works as well.
(() => {
  // The menu begins closed there.
  const menus = document.querySelector("details.menus");
  const narrow = window.matchMedia("(max-width: 61.99rem)");
  const follow = () => { if (menus) menus.open = !narrow.matches; };
  narrow.addEventListener("change", follow);
  follow();

  // Each row of a table becomes a card there, in which cells say what they are. The roles are said
  // again, for browsers forget them when a table is laid out in another way.
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  const label = (table) => {
    const heads = [...table.querySelectorAll("thead th")].map((one) => one.textContent.trim());
    if (!heads.length) return;
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, place) => {
        if (cell.tagName === "TD" && heads[place] && !cell.dataset.label) {
          cell.dataset.label = heads[place];
        }
      });
    }
    for (const one of [table, ...table.querySelectorAll("thead, tbody, tr, td, th")]) {
      const head = one.scope === "row" ? "rowheader" : "columnheader";
      one.setAttribute("role", roles[one.tagName] ?? head);
    }
    table.classList.add("cards");
  };
  const labelAll = () => document.querySelectorAll("main table:not(.week)").forEach(label);
  document.addEventListener("htmx:afterSwap", labelAll);
  labelAll();
})();
