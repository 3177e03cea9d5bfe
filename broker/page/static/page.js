// Keeps an open page live, and says so when it cannot. Without this file the page loads itself again every 15 seconds.
import { initAll } from "/static/govuk/govuk-frontend.min.js";

const SILENT_AFTER = 20000;
const place = document.getElementById("live");
const lost = document.getElementById("lost");
let heard = Date.now();
let drawing = false;

function announce(text) {
  document.getElementById("announce").textContent = text;
}

function hear() {
  heard = Date.now();
  lost.hidden = true;
}

function checkSilence() {
  if (Date.now() - heard <= SILENT_AFTER || !lost.hidden) return;
  const since = new Date(heard).toLocaleTimeString("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit" });
  lost.textContent = `▲ Not live since ${since}. What is below may be out of date. If this stays, ring whoever runs the hub.`;
  lost.hidden = false;
}

function takeOver(page) {
  const fresh = page.getElementById("live");
  if (!fresh) return;
  const focused = document.activeElement && document.activeElement.id;
  const before = document.getElementById("headline").textContent;
  place.replaceChildren(...fresh.childNodes);
  place.dataset.digest = fresh.dataset.digest;
  document.title = page.title;
  initAll({ scope: place });
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus({ preventScroll: true });
  const now = document.getElementById("headline").textContent;
  if (now !== before) announce(now);
  notifyAbout(now);
}

async function draw(digest) {
  if (drawing || digest === place.dataset.digest) return;
  drawing = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (answer.redirected) return location.reload(); // the session has ended: the sign-in is a page of its own
    if (answer.ok) takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } finally {
    drawing = false;
  }
}

// On a desk's page: a notice of the operating system, if its person has asked for it. It holds a number and no name.
const button = document.getElementById("notify");
const numbers = () => [...document.querySelectorAll("#stories form input[name=alert]")].map((input) => input.value);
let known = new Set(numbers());

function notifyAbout(headline) {
  if (!button) return;
  const fresh = numbers().filter((number) => !known.has(number));
  known = new Set(numbers());
  if (fresh.length && "Notification" in window && Notification.permission === "granted") {
    new Notification("MASH hub", { body: headline, tag: "mash-hub", requireInteraction: true });
  }
}

function offerNotifications() {
  if (!button || !("Notification" in window) || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = await Notification.requestPermission();
    button.hidden = said !== "default";
    document.getElementById("notify-said").textContent =
      said === "granted" ? "New alerts will be shown on this computer." : "This browser does not show them. Keep this page in sight.";
  });
}

document.documentElement.classList.add("govuk-frontend-supported");
document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
offerNotifications();
if (document.body.dataset.live) {
  const source = new EventSource(document.body.dataset.live);
  for (const kind of ["changed", "beat"]) {
    source.addEventListener(kind, (event) => {
      hear();
      draw(event.data).catch(() => {});
    });
  }
  source.addEventListener("error", () => {
    // A refusal, unlike a cut, is final for the browser: a session that ended before the first word leads to the sign-in.
    if (source.readyState === EventSource.CLOSED) draw("").catch(() => {});
  });
  setInterval(checkSilence, 1000);
}
