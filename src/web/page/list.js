import { act, actionsFor } from './actions.js';
import { el, percent, rate, setText, size, stateClass, uptime } from './dom.js';
import { Plot } from './plot.js';
import { machines, stateOf } from './store.js';

const HEADINGS = [
  ['Name', ''],
  ['State', ''],
  ['Processor', 'medium'],
  ['Memory', 'medium number'],
  ['Disks', 'wide number'],
  ['Network', 'wide number'],
  ['Up', 'wide'],
];

/** The table of all machines; rows are made once and then only their changes written. */
export class List {
  #rows = new Map();
  #body = el('tbody');
  #empty = el('div', { class: 'empty', hidden: true });
  #table;
  #mayAct;

  constructor(mayAct) {
    this.#mayAct = mayAct;
    const headings = HEADINGS.map(([text, className]) => el('th', { scope: 'col', class: className }, text));
    if (mayAct) headings.push(el('th', { scope: 'col' }, el('span', { class: 'hidden' }, 'Actions')));
    const caption = el('caption', { class: 'hidden' }, 'Machines');
    this.#table = el('table', { class: 'table' }, caption, el('thead', {}, el('tr', {}, ...headings)), this.#body);
    this.element = el('div', {}, this.#table, this.#empty);
  }

  update(filter) {
    const wanted = filter.trim().toLowerCase();
    const shown = [...machines.values()].filter(({ view }) =>
      [view.name, view.shortName ?? ''].some((name) => name.toLowerCase().includes(wanted)),
    );
    const names = new Set(shown.map(({ view }) => view.name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.#rows.delete(name);
    }
    let before = null;
    for (const { view, history } of shown) {
      const row = this.#rows.get(view.name) ?? this.#add(view.name);
      row.update(view, history);
      const next = before ? before.nextSibling : this.#body.firstChild;
      if (next !== row.element) this.#body.insertBefore(row.element, next);
      before = row.element;
    }
    this.#table.hidden = shown.length === 0;
    this.#empty.hidden = shown.length > 0;
    if (shown.length === 0) this.#explain(machines.size === 0);
  }

  #explain(isNew) {
    this.#empty.replaceChildren(
      ...(isNew
        ? [el('p', {}, 'There are no machines yet.'), el('code', {}, 'qemu-init create web --disk 8G')]
        : [el('p', {}, 'No machine has these letters in its name.')]),
    );
  }

  #add(name) {
    const row = new Row(name, this.#mayAct);
    this.#rows.set(name, row);
    return row;
  }
}

class Row {
  #state = el('span', { class: 'state' });
  #cpu = el('span', { class: 'sub' });
  #memory = el('td', { class: 'medium number' });
  #disk = el('td', { class: 'wide number' });
  #network = el('td', { class: 'wide number' });
  #up = el('td', { class: 'wide sub' });
  #detail = el('span', { class: 'sub' });
  #actions = el('div', { class: 'actions' });
  #plot;
  #shownActions = '';
  #name;

  constructor(name, mayAct) {
    this.#name = name;
    this.#plot = new Plot('spark', 30, `Processor of ${name}`);
    this.element = el(
      'tr',
      { 'data-name': name },
      el('td', {}, el('a', { class: 'name', href: `#/m/${encodeURIComponent(name)}` }, name), ' ', this.#detail),
      el('td', {}, this.#state),
      el('td', { class: 'medium' }, this.#plot.element, this.#cpu),
      this.#memory,
      this.#disk,
      this.#network,
      this.#up,
      mayAct ? el('td', {}, this.#actions) : undefined,
    );
  }

  update(view, history) {
    const state = stateOf(view);
    if (this.#state.className !== stateClass(state)) this.#state.className = stateClass(state);
    const [job] = view.jobs;
    setText(this.#state, state);
    const parts = [
      ...(view.shortName && view.shortName !== view.name ? [view.shortName] : []),
      ...(job ? [`${job.type} ${Math.floor(100 * job.ratio)} %`] : []),
      ...view.failedDisks,
    ];
    setText(this.#detail, parts.join(', '));
    const { rates } = view;
    setText(this.#cpu, percent(rates?.cpuPercent));
    setText(this.#memory, size(view.residentBytes));
    setText(this.#disk, rates ? rate(rates.readBytesPerSecond + rates.writtenBytesPerSecond) : '');
    setText(this.#network, rates ? rate(rates.receivedBytesPerSecond + rates.transmittedBytesPerSecond) : '');
    setText(this.#up, uptime(view.startSeconds));
    this.#plot.draw(history.cpu, 100 * (view.vcpus ?? 1));
    this.#offer(state);
  }

  #offer(state) {
    const names = actionsFor(state).filter((name) => name !== 'reset');
    if (names.join() === this.#shownActions) return;
    this.#shownActions = names.join();
    this.#actions.replaceChildren(
      ...names.map((action) =>
        el(
          'button',
          { type: 'button', 'aria-label': `${action} ${this.#name}`, onclick: () => act(this.#name, action) },
          action,
        ),
      ),
    );
  }
}
