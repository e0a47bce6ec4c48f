import { follow } from './api.js';
import { el, setText } from './dom.js';

/** Rows that are kept. */
const MOST = 200;

/** What QEMU has told since the page was opened, the newest first. */
export class EventsPane {
  #body = el('tbody');
  #table;
  #note = el(
    'div',
    { class: 'empty' },
    el('h2', {}, 'No events yet'),
    el('p', {}, 'What QEMU reports from now on is listed here.'),
  );
  #stop;

  constructor(name) {
    const headings = ['Time', 'Event', 'Data'].map((text) => el('th', { scope: 'col' }, text));
    const caption = el('caption', { class: 'hidden' }, `Events of ${name}`);
    this.#table = el(
      'table',
      { class: 'table events', hidden: true },
      caption,
      el('thead', {}, el('tr', {}, ...headings)),
      this.#body,
    );
    this.element = el('div', {}, this.#note, this.#table);
    this.#stop = follow(
      `/api/machines/${encodeURIComponent(name)}/events`,
      (event) => this.#add(event),
      // They all come again.
      (state) => state === 'live' && this.#body.replaceChildren(),
    );
  }

  #add({ time, event, data }) {
    this.#note.hidden = true;
    this.#table.hidden = false;
    const cell = el('td', { class: 'data' });
    setText(cell, Object.keys(data).length > 0 ? JSON.stringify(data) : '');
    this.#body.prepend(
      el(
        'tr',
        {},
        el('td', { class: 'soft' }, el('time', { datetime: time }, new Date(time).toLocaleTimeString())),
        el('td', {}, el('strong', {}, event)),
        cell,
      ),
    );
    while (this.#body.rows.length > MOST) this.#body.lastChild.remove();
  }

  update() {}

  close() {
    this.#stop();
  }
}
