// Times in the reader's own zone beside those of the place, on demand; without this, the page is whole.
"use strict";
const place = document.getElementById("own-zone");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (place && zone) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Show in ${zone}`;
  button.setAttribute("aria-pressed", "false");
  const times = [...document.querySelectorAll("table.schedule time")].map((one) => [one, one.textContent]);
  button.addEventListener("click", () => {
    const own = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(own));
    for (const [one, text] of times) {
      one.textContent = own
        ? new Date(one.dateTime).toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" })
        : text;
    }
  });
  place.append(button);
}
