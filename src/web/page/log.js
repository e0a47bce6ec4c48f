import { get } from './api.js';
import { el, setText } from './dom.js';

/** What QEMU has written. */
export class LogPane {
  #text = el('pre', { class: 'log', tabindex: '0', 'aria-label': "QEMU's log" });
  #none = el(
    'div',
    { class: 'empty', hidden: true },
    el('h2', {}, 'No messages'),
    el('p', {}, 'QEMU has written nothing since the machine was started.'),
  );
  #timer;
  #isClosed = false;

  constructor(name) {
    this.element = el('div', {}, this.#none, this.#text);
    void this.#poll(name);
  }

  async #poll(name) {
    try {
      const { text } = await get(`/api/machines/${encodeURIComponent(name)}/log`);
      this.#show(text);
    } catch (error) {
      this.#show(error.message);
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#poll(name), 2000);
  }

  #show(text) {
    setText(this.#text, text);
    this.#text.hidden = text === '';
    this.#none.hidden = text !== '';
  }

  update() {}

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
