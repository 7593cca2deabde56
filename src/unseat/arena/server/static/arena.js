// A submission that is not scored yet: look now and then, and show the page anew when something has changed.
"use strict";
const line = document.getElementById("state");
if (line && ["queued", "running"].includes(line.dataset.state)) {
  const look = async () => {
    try {
      const answer = await fetch(line.dataset.watch, { headers: { accept: "application/json" } });
      if (answer.ok && (await answer.json()).state !== line.dataset.state) {
        location.reload();
        return;
      }
    } catch {
      // The server is away for a moment; it is asked again.
    }
    setTimeout(look, 1500);
  };
  setTimeout(look, 1000);
}
// A choice of what to show applies at once; without this, the button beside it does.
for (const choice of document.querySelectorAll(".filter select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}
