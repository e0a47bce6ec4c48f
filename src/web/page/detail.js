import { act, actionsFor, say } from './actions.js';
import { get, ticketUrl } from './api.js';
import { el, percent, rate, setText, size, stateClass, uptime } from './dom.js';
import { Plot } from './plot.js';
import { machines, stateOf } from './store.js';

const TABS = ['Overview', 'Screen', 'Console', 'Log'];

/** One machine: what it does, its screen, its console and its log. */
export class Detail {
  #name;
  #mayAct;
  #state = el('span', { class: 'state' });
  #actions = el('div', { class: 'actions' });
  #shownActions = '';
  #panel = el('section', { role: 'tabpanel', id: 'panel', tabindex: '0' });
  #tabs;
  #pane;

  constructor(name, mayAct) {
    this.#name = name;
    this.#mayAct = mayAct;
    this.#tabs = TABS.map((title) =>
      el(
        'button',
        {
          type: 'button',
          role: 'tab',
          'aria-controls': 'panel',
          'aria-selected': 'false',
          onclick: () => this.#show(title),
        },
        title,
      ),
    );
    const list = el('div', { class: 'tabs', role: 'tablist', 'aria-label': `About ${name}` }, ...this.#tabs);
    list.addEventListener('keydown', (event) => this.#arrow(event));
    this.element = el(
      'div',
      {},
      el('div', { class: 'head' }, el('h1', {}, name), this.#state, this.#actions),
      list,
      this.#panel,
    );
    this.#show('Overview');
  }

  /** Gives back what it has open. */
  close() {
    this.#pane?.close();
  }

  update() {
    const found = machines.get(this.#name);
    const state = found ? stateOf(found.view) : 'unknown';
    this.#state.className = stateClass(state);
    setText(this.#state, state);
    if (this.#mayAct) this.#offer(found ? actionsFor(state) : []);
    if (found) this.#pane?.update(found.view, found.history);
  }

  #offer(names) {
    if (names.join() === this.#shownActions) return;
    this.#shownActions = names.join();
    this.#actions.replaceChildren(
      ...names.map((action) =>
        el(
          'button',
          {
            type: 'button',
            class: action === 'start' ? 'main' : action === 'stop' ? 'danger' : undefined,
            onclick: () => act(this.#name, action),
          },
          action,
        ),
      ),
    );
  }

  #show(title) {
    for (const tab of this.#tabs) {
      const isChosen = tab.textContent === title;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    this.#pane?.close();
    this.#panel.setAttribute('aria-label', title);
    this.#pane = makePane(title, this.#name, this.#mayAct);
    this.#panel.replaceChildren(this.#pane.element);
    this.update();
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = this.#tabs.indexOf(document.activeElement);
    const next = this.#tabs[(at + step + this.#tabs.length) % this.#tabs.length];
    next.focus();
    next.click();
  }
}

function makePane(title, name, mayAct) {
  if (title === 'Screen') return new ScreenPane(name, mayAct);
  if (title === 'Console') return new ConsolePane(name, mayAct);
  return title === 'Log' ? new LogPane(name) : new OverviewPane(name);
}

class OverviewPane {
  #cards;
  #facts = el('dl', { class: 'facts' });
  #jobs = el('div');

  constructor(name) {
    this.#cards = [
      card('Processor', name, (view, history) => [
        percent(view.rates?.cpuPercent),
        history.cpu,
        100 * (view.vcpus ?? 1),
      ]),
      card('Memory of the host', name, (view, history) => [
        size(view.residentBytes),
        history.memory,
        view.memoryBytes ?? 0,
      ]),
      card('Disks', name, (view, history) => [
        view.rates
          ? `${rate(view.rates.readBytesPerSecond)} read, ${rate(view.rates.writtenBytesPerSecond)} written`
          : '',
        history.disk,
        1024,
      ]),
      card('Network', name, (view, history) => [
        view.rates
          ? `${rate(view.rates.receivedBytesPerSecond)} in, ${rate(view.rates.transmittedBytesPerSecond)} out`
          : '',
        history.network,
        1024,
      ]),
    ];
    const about = el('div', { class: 'card' }, el('h2', {}, 'About'), this.#facts);
    this.element = el('div', { class: 'cards' }, ...this.#cards.map(({ element }) => element), about, this.#jobs);
  }

  update(view, history) {
    for (const each of this.#cards) each.update(view, history);
    const facts = [
      ['Short name', view.shortName],
      ['System', view.os],
      ['Processors', view.vcpus],
      ['Memory', size(view.memoryBytes)],
      ['Up', uptime(view.startSeconds)],
      ['Disks', view.failedDisks.join(', ')],
    ].filter(([, value]) => value !== null && value !== undefined && value !== '');
    const text = facts.map((fact) => fact.join('\0')).join('\0');
    if (this.#facts.dataset.text !== text) {
      this.#facts.dataset.text = text;
      this.#facts.replaceChildren(...facts.flatMap(([key, value]) => [el('dt', {}, key), el('dd', {}, String(value))]));
    }
    this.#jobs.replaceChildren(
      ...view.jobs.map(({ job, type, ratio }) =>
        el(
          'div',
          { class: 'card' },
          el('h2', {}, `${type} ${job}`),
          el('div', { class: 'value' }, `${Math.floor(100 * ratio)} %`),
          el('progress', { max: '1', value: String(ratio), 'aria-label': `${type} ${job}` }),
        ),
      ),
    );
  }

  close() {}
}

function card(title, name, read) {
  const value = el('div', { class: 'value' });
  const plot = new Plot('plot', 120, `${title} of ${name} in the last two minutes`);
  return {
    element: el('div', { class: 'card' }, el('h2', {}, title), value, plot.element),
    update(view, history) {
      const [text, values, top] = read(view, history);
      setText(value, text || '–');
      plot.draw(values, top);
    },
  };
}

class ScreenPane {
  #screen = el('div', { class: 'screen' });
  #note = el('span', { role: 'status' }, 'connecting');
  #rfb;
  #isClosed = false;

  constructor(name, mayAct) {
    const keys = el(
      'button',
      { type: 'button', disabled: true, onclick: () => this.#rfb?.sendCtrlAltDel() },
      'Ctrl-Alt-Del',
    );
    this.element = el('div', {}, el('div', { class: 'toolbar' }, this.#note, mayAct ? keys : undefined), this.#screen);
    void this.#open(name, mayAct, keys);
  }

  async #open(name, mayAct, keys) {
    try {
      const [{ default: RFB }, url] = await Promise.all([import('/novnc/core/rfb.js'), ticketUrl('vnc', name)]);
      if (this.#isClosed) return;
      const rfb = new RFB(this.#screen, url, { shared: true });
      rfb.viewOnly = !mayAct;
      rfb.scaleViewport = true;
      rfb.background = '#000';
      rfb.addEventListener('connect', () => {
        setText(this.#note, mayAct ? 'connected: keys and pointer go to the guest' : 'connected: read only');
        keys.disabled = false;
      });
      rfb.addEventListener('disconnect', () => {
        keys.disabled = true;
        setText(this.#note, 'not connected: the machine has no screen, or does not run');
      });
      rfb.addEventListener('credentialsrequired', () => {
        const password = prompt('Password of the screen');
        if (password === null) rfb.disconnect();
        else rfb.sendCredentials({ password });
      });
      this.#rfb = rfb;
    } catch (error) {
      setText(this.#note, error.message);
    }
  }

  update() {}

  close() {
    this.#isClosed = true;
    this.#rfb?.disconnect();
  }
}

class ConsolePane {
  #place = el('div', { class: 'console' });
  #note = el('span', { role: 'status' }, 'what the guest has printed');
  #take;
  #terminal;
  #socket;
  #size = 0;
  #timer;
  #name;
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
      theme: { background: '#0b0e14' },
    });
    this.#terminal.open(this.#place);
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
      const socket = new WebSocket(await ticketUrl('console', this.#name));
      this.#socket = socket;
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('open', () => {
        setText(this.#note, 'the keyboard is here; others cannot type meanwhile');
        setText(this.#take, 'Give the keyboard back');
        this.#terminal.focus();
      });
      socket.addEventListener('message', ({ data }) => this.#terminal.write(new Uint8Array(data)));
      socket.addEventListener('close', ({ reason }) => {
        this.#socket = undefined;
        setText(this.#note, 'what the guest has printed');
        setText(this.#take, 'Take the keyboard');
        if (reason) say(reason, true);
        void this.#sync();
      });
    } catch (error) {
      say(error.message, true);
      void this.#poll();
    }
  }

  /** What was shown by the socket is in the log as well. */
  async #sync() {
    if (this.#isClosed) return;
    const { size: now } = await get(`/api/machines/${encodeURIComponent(this.#name)}/console?from=0`);
    this.#size = now;
    await this.#poll();
  }

  update() {}

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#terminal?.dispose();
  }
}

class LogPane {
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
      setText(this.#text, text || 'QEMU has said nothing.');
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
