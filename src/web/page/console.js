import { get, ticketUrl } from './api.js';
import { el, setText } from './dom.js';
import { leaveByCtrlAlt } from './leave.js';
import { strictDocument } from './strict-document.js';

const WATCHING = 'What the guest has printed';

/** The serial console: its log, and on request its keyboard, which serves one at a time. */
export class ConsolePane {
  #place = el('div', { class: 'console' });
  #note = el('span', { role: 'status', class: 'grow' }, WATCHING);
  #take;
  #terminal;
  #socket;
  #size = 0;
  #timer;
  #name;
  #strict = strictDocument();
  #isClosed = false;

  constructor(name, mayAct) {
    this.#name = name;
    this.#take = el('button', { type: 'button', onclick: () => this.#toggle() }, 'Take the keyboard');
    this.element = el(
      'div',
      {},
      el('div', { class: 'toolbar' }, this.#note, mayAct ? this.#take : undefined),
      this.#place,
    );
    leaveByCtrlAlt(this.#place, () => this.#take.focus());
    void this.#open();
  }

  async #open() {
    const { Terminal } = await import('/xterm/xterm.mjs');
    if (this.#isClosed) return;
    this.#terminal = new Terminal({
      cols: 80,
      rows: 24,
      convertEol: false,
      scrollback: 5000,
      disableStdin: true,
      fontSize: 14,
      fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace',
      theme: { background: '#0b0e14', foreground: '#d7dce6', cursor: '#8fa2ff' },
      documentOverride: this.#strict.document,
    });
    this.#strict.during(() => this.#terminal.open(this.#place));
    // Without the keyboard Tab moves on.
    this.#terminal.attachCustomKeyEventHandler(() => !this.#terminal.options.disableStdin);
    this.#terminal.onData((text) => {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(new TextEncoder().encode(text));
    });
    await this.#poll();
  }

  async #poll() {
    if (this.#isClosed || this.#socket) return;
    try {
      const { size: now, text } = await get(
        `/api/machines/${encodeURIComponent(this.#name)}/console?from=${this.#size}`,
      );
      if (this.#isClosed || this.#socket) return;
      // A log that became shorter was rotated.
      if (now < this.#size) this.#terminal.reset();
      if (now !== this.#size) this.#terminal.write(text);
      this.#size = now;
    } catch (error) {
      setText(this.#note, error.message);
    }
    this.#timer = setTimeout(() => this.#poll(), 1000);
  }

  async #toggle() {
    if (this.#socket) {
      this.#socket.close();
      return;
    }
    clearTimeout(this.#timer);
    try {
      this.#connect(new WebSocket(await ticketUrl('console', this.#name)));
    } catch (error) {
      setText(this.#note, error.message);
      void this.#poll();
    }
  }

  #connect(socket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      setText(this.#note, 'The keyboard is here, others cannot type; Ctrl-Alt leaves it');
      setText(this.#take, 'Give the keyboard back');
      this.#terminal.options.disableStdin = false;
      this.#terminal.focus();
    });
    socket.addEventListener('message', ({ data }) => this.#terminal?.write(new Uint8Array(data)));
    socket.addEventListener('close', ({ reason }) => {
      this.#socket = undefined;
      if (this.#isClosed) return;
      this.#terminal.options.disableStdin = true;
      setText(this.#note, reason || WATCHING);
      setText(this.#take, 'Take the keyboard');
      void this.#sync();
    });
  }

  /** What was shown by the socket is in the log as well. */
  async #sync() {
    try {
      const { size: now } = await get(`/api/machines/${encodeURIComponent(this.#name)}/console?from=0`);
      this.#size = now;
    } catch {
      // It is asked again soon.
    }
    await this.#poll();
  }

  update() {}

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#terminal?.dispose();
    this.#strict.dispose();
  }
}
