import { get } from './api.js';
import { el, setText } from './dom.js';

/** What QEMU has written. */
export class LogPane {
  #text = el('pre', { class: 'log', tabindex: '0', 'aria-label': "QEMU's log" });
  #timer;
  #isClosed = false;

  constructor(name) {
    this.element = el('div', {}, this.#text);
    void this.#poll(name);
  }

  async #poll(name) {
    try {
      const { text } = await get(`/api/machines/${encodeURIComponent(name)}/log`);
      setText(this.#text, text || 'QEMU has written nothing.');
    } catch (error) {
      setText(this.#text, error.message);
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#poll(name), 2000);
  }

  update() {}

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
