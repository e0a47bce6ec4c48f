import { ticketUrl } from './api.js';
import { el, setText } from './dom.js';
import { leaveByCtrlAlt } from './leave.js';
import { ask } from './say.js';

/** What is no screen by then will not become one. */
const LONGEST_CONNECT_MS = 20_000;

/** The screen of a machine. */
export class ScreenPane {
  #screen = el('div', { class: 'screen' });
  #note = el('span', { role: 'status', class: 'grow' }, 'Connecting');
  #name;
  #mayAct;
  #keys;
  #again;
  #rfb;
  #late;
  #isClosed = false;

  constructor(name, mayAct) {
    this.#name = name;
    this.#mayAct = mayAct;
    this.#keys = el(
      'button',
      { type: 'button', disabled: true, onclick: () => this.#rfb?.sendCtrlAltDel() },
      'Ctrl-Alt-Del',
    );
    this.#again = el('button', { type: 'button', hidden: true, onclick: () => this.#open() }, 'Connect again');
    const whole = el('button', { type: 'button', onclick: () => this.#screen.requestFullscreen() }, 'Full screen');
    this.element = el(
      'div',
      {},
      el('div', { class: 'toolbar' }, this.#note, this.#again, mayAct ? this.#keys : undefined, whole),
      this.#screen,
    );
    if (mayAct) leaveByCtrlAlt(this.#screen, () => whole.focus());
    void this.#open();
  }

  async #open() {
    this.#again.hidden = true;
    setText(this.#note, 'Connecting');
    try {
      const [{ default: RFB }, url] = await Promise.all([import('/novnc/core/rfb.js'), ticketUrl('vnc', this.#name)]);
      if (!this.#isClosed) this.#connect(new RFB(this.#screen, url, { shared: true }));
    } catch (error) {
      setText(this.#note, error.message);
      this.#again.hidden = false;
    }
  }

  #connect(rfb) {
    rfb.viewOnly = !this.#mayAct;
    rfb.scaleViewport = true;
    rfb.background = '#000';
    this.#late = setTimeout(() => rfb.disconnect(), LONGEST_CONNECT_MS);
    // What it cannot read it throws away with each piece, and would go on receiving.
    const fail = ({ filename }) => {
      if (filename.includes('/novnc/')) rfb.disconnect();
    };
    window.addEventListener('error', fail);
    rfb.addEventListener('disconnect', () => window.removeEventListener('error', fail));
    rfb.addEventListener('connect', () => {
      clearTimeout(this.#late);
      setText(
        this.#note,
        this.#mayAct ? 'Connected: keys and pointer go to the guest; Ctrl-Alt leaves it' : 'Connected: read only',
      );
      this.#keys.disabled = false;
    });
    rfb.addEventListener('disconnect', () => {
      clearTimeout(this.#late);
      this.#keys.disabled = true;
      this.#again.hidden = false;
      setText(this.#note, 'Not connected: the machine has no screen (VNC), or does not run');
    });
    rfb.addEventListener('credentialsrequired', async () => {
      clearTimeout(this.#late);
      const password = await ask({ title: 'The screen has a password', yes: 'Connect', field: 'Password' });
      if (password === undefined) rfb.disconnect();
      else rfb.sendCredentials({ password });
    });
    this.#rfb = rfb;
  }

  update() {}

  close() {
    this.#isClosed = true;
    clearTimeout(this.#late);
    this.#rfb?.disconnect();
  }
}
