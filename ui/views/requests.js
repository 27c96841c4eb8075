// @ts-check
/**
 * Requests of people who want to see when we are there, above the list until they are answered.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Person} Person
 */
import { drawAvatar } from "./avatar.js";
import { arrange, find, first, icon, make, setText } from "./element.js";

/**
 * @param {App} app
 * @param {(address: string) => void} accepted
 */
export function mountRequests(app, accepted) {
  const place = find("#requests");
  /** @type {Map<string, HTMLElement>} */
  const cards = new Map();

  function draw() {
    const requests = app.account?.requests ?? new Map();
    const focused = place.contains(document.activeElement);
    for (const address of cards.keys()) if (!requests.has(address)) cards.delete(address);
    const wanted = [...requests.values()].map((person) => {
      let card = cards.get(person.address);
      if (!card) {
        card = makeCard(person);
        cards.set(person.address, card);
      }
      drawCard(card, person);
      return card;
    });
    arrange(place, wanted);
    place.hidden = wanted.length === 0;
    if (focused && !place.contains(document.activeElement)) (first("button", place) ?? find("#filter")).focus();
  }

  /** @param {Person} person */
  function makeCard(person) {
    const { address } = person;
    /**
     * @param {string} name
     * @param {string} key
     * @param {() => void} run
     */
    const button = (name, key, run) => {
      const element = make("button", { type: "button", class: name }, app.say(key));
      element.addEventListener("click", run);
      return element;
    };
    return make(
      "div",
      { class: "request", "data-address": address },
      make("span", { class: "avatar", "aria-hidden": "true" }),
      make("div", { class: "request-text" },
        make("p", { class: "sentence" }),
        make("p", { class: "secondary" }, make("bdi", { class: "address" })),
        make("p", { class: "warning" }, icon("triangle-alert"), make("span", { class: "warning-words" }))),
      make("div", { class: "buttons" },
        button("accept primary", "ui-accept", () => {
          void app.act({ kind: "accept", address }).then((taken) => taken && accepted(address));
        }),
        button("decline", "ui-decline", () => void app.act({ kind: "decline", address })),
        button("block", "ui-block", () => {
          void app.act({ kind: "decline", address }).then((taken) => taken && app.act({ kind: "block", address }));
        })),
    );
  }

  /**
   * @param {HTMLElement} card
   * @param {Person} person
   */
  function drawCard(card, person) {
    drawAvatar(find(".avatar", card), person);
    setText(find(".sentence", card), app.say("ui-request", { name: person.name }));
    setText(find(".address", card), person.address);
    find(".secondary", card).hidden = person.name === person.address;
    find(".warning", card).hidden = person.warning === null;
    setText(find(".warning-words", card), person.warning ?? "");
  }

  app.on(["people", "accounts"], draw);
}
