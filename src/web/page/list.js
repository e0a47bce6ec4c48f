import { act } from './actions.js';
import { el, icon, renew, setText } from './dom.js';
import { Plot } from './plot.js';
import { machines, runningTasks, stateOf } from './store.js';
import { stepText } from './task-text.js';
import { kindOfState, percent, rate, size, stateClass, uptime } from './text.js';
import { actionsFor, wordsOf } from './words.js';

/** Columns: heading, class, and what the machines are sorted by when it is chosen. */
const COLUMNS = [
  ['Name', '', ({ view }) => view.name],
  ['State', '', ({ view }) => stateOf(view)],
  ['Processor', 'medium', ({ view }) => -(view.rates?.cpuPercent ?? -1)],
  ['Memory', 'medium', ({ view }) => -(view.residentBytes ?? -1)],
  ['Disks', 'wide number', ({ view }) => -(diskRate(view) ?? -1)],
  ['Network', 'wide number', ({ view }) => -(networkRate(view) ?? -1)],
  ['Up', 'wide number', ({ view }) => view.startSeconds ?? Number.MAX_VALUE],
];

const GROUPS = [
  ['All', () => true],
  ['Running', (kind) => kind === 'good'],
  ['Off', (kind) => kind === 'off'],
  ['Attention', (kind) => kind === 'bad' || kind === 'warn'],
];

/** What was chosen stays so while the page is open. */
const chosen = { group: 'All', column: undefined };

/** The table of all machines; rows are made once and then only their changes written. */
export class List {
  #rows = new Map();
  #body = el('tbody');
  #empty = el('div', { class: 'empty', hidden: true });
  #groups;
  #chips;
  #headings;
  #table;
  #mayAct;
  #filter = '';

  constructor(mayAct) {
    this.#mayAct = mayAct;
    this.#groups = GROUPS.map(([title]) => {
      const count = el('span', { class: 'count' });
      const button = el('button', { type: 'button', class: 'chip', onclick: () => this.#choose(title) }, title, count);
      return { title, count, button };
    });
    this.#headings = COLUMNS.map(([title, className]) => {
      const button = el('button', { type: 'button', class: 'sort', onclick: () => this.#sort(title) }, title);
      return el('th', { scope: 'col', class: className }, button);
    });
    const last = mayAct
      ? el('th', { scope: 'col', class: 'medium' }, el('span', { class: 'hidden' }, 'Actions'))
      : undefined;
    const caption = el('caption', { class: 'hidden' }, 'Machines');
    const head = el('tr', {}, ...this.#headings, last);
    this.#table = el('table', { class: 'table machines' }, caption, el('thead', {}, head), this.#body);
    this.#chips = el(
      'div',
      { class: 'chips', role: 'group', 'aria-label': 'Show' },
      ...this.#groups.map(({ button }) => button),
    );
    this.element = el('div', {}, el('h1', { class: 'hidden' }, 'Machines'), this.#chips, this.#table, this.#empty);
  }

  #choose(title) {
    chosen.group = title;
    this.update(this.#filter);
  }

  /** A second click on a heading is back to the order of the registry. */
  #sort(title) {
    chosen.column = chosen.column === title ? undefined : title;
    this.update(this.#filter);
  }

  update(filter) {
    this.#filter = filter;
    const all = [...machines.values()];
    const [, isIn] = GROUPS.find(([title]) => title === chosen.group);
    const wanted = filter.trim().toLowerCase();
    const shown = inOrder(
      all.filter(
        ({ view }) =>
          isIn(kindOfState(stateOf(view))) &&
          [view.name, view.shortName ?? '', view.description ?? ''].some((name) => name.toLowerCase().includes(wanted)),
      ),
    );
    this.#updateHead(all);
    this.#updateRows(shown);
    this.#chips.hidden = all.length === 0;
    this.#table.hidden = shown.length === 0;
    this.#empty.hidden = shown.length > 0;
    if (shown.length === 0) renew(this.#empty, [all.length === 0, wanted], () => explain(all.length === 0, wanted));
  }

  #updateHead(all) {
    const kinds = all.map(({ view }) => kindOfState(stateOf(view)));
    for (const [at, { title, count, button }] of this.#groups.entries()) {
      const number = kinds.filter(GROUPS[at][1]).length;
      setText(count, String(number));
      button.setAttribute('aria-pressed', String(title === chosen.group));
      button.classList.toggle('bad', title === 'Attention' && number > 0);
    }
    for (const [at, heading] of this.#headings.entries()) {
      const isChosen = COLUMNS[at][0] === chosen.column;
      if (!isChosen) heading.removeAttribute('aria-sort');
      else heading.setAttribute('aria-sort', at < 2 ? 'ascending' : 'descending');
    }
  }

  #updateRows(shown) {
    const names = new Set(shown.map(({ view }) => view.name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.#rows.delete(name);
    }
    // Rows that somebody is about to click or has the focus in do not move away.
    const isHeld = this.#body.matches(':hover, :focus-within');
    let before = null;
    for (const { view, history } of shown) {
      const row = this.#rows.get(view.name) ?? this.#add(view.name);
      row.update(view, history);
      const next = before ? before.nextSibling : this.#body.firstChild;
      if (next !== row.element && !(isHeld && row.element.isConnected)) this.#body.insertBefore(row.element, next);
      before = row.element;
    }
  }

  #add(name) {
    const row = new Row(name, this.#mayAct);
    this.#rows.set(name, row);
    return row;
  }
}

function inOrder(shown) {
  const by = COLUMNS.find(([title]) => title === chosen.column)?.[2];
  if (!by) return shown;
  return shown.toSorted((a, b) => {
    const [first, second] = [by(a), by(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  });
}

function explain(isNew, wanted) {
  if (isNew) {
    return [
      el('h2', {}, 'There are no machines yet'),
      el('p', {}, 'On the host, this makes one:'),
      el('code', {}, 'qemu-init create web --disk 8G'),
    ];
  }
  const text = wanted === '' ? 'No machine is in this state' : `No machine in this state matches "${wanted}"`;
  return [el('h2', {}, chosen.group === 'All' ? `No machine matches "${wanted}"` : text)];
}

const diskRate = ({ rates }) => rates && rates.readBytesPerSecond + rates.writtenBytesPerSecond;
const networkRate = ({ rates }) => rates && rates.receivedBytesPerSecond + rates.transmittedBytesPerSecond;

class Row {
  #state = el('span', { class: 'state' });
  #cpu = el('span', { class: 'amount' });
  #memory = el('span', { class: 'amount' });
  #meter = el('meter', { min: '0', max: '1' });
  #disk = el('td', { class: 'wide number' });
  #network = el('td', { class: 'wide number' });
  #up = el('td', { class: 'wide number soft' });
  #detail = el('span', { class: 'sub' });
  #use = el('span', { class: 'sub narrow' });
  #actions = el('div', { class: 'actions' });
  #plot;
  #name;

  constructor(name, mayAct) {
    this.#name = name;
    this.#plot = new Plot('spark', 40, `Processor of ${name}`);
    this.#meter.setAttribute('aria-label', `Memory of ${name}`);
    const link = el('a', { class: 'name', href: `#/m/${encodeURIComponent(name)}` }, name);
    this.element = el(
      'tr',
      { 'data-name': name },
      el('td', {}, link, this.#detail, this.#use),
      el('td', {}, this.#state),
      el('td', { class: 'medium' }, el('div', { class: 'pair' }, this.#plot.element, this.#cpu)),
      el('td', { class: 'medium' }, el('div', { class: 'pair' }, this.#meter, this.#memory)),
      this.#disk,
      this.#network,
      this.#up,
      mayAct ? el('td', { class: 'medium' }, this.#actions) : undefined,
    );
  }

  update(view, history) {
    const state = stateOf(view);
    if (this.#state.className !== stateClass(state)) this.#state.className = stateClass(state);
    setText(this.#state, state);
    this.element.classList.toggle('is-bad', kindOfState(state) === 'bad');
    setText(this.#detail, detailOf(view));
    const { rates } = view;
    setText(this.#cpu, percent(rates?.cpuPercent));
    setText(this.#memory, size(view.residentBytes));
    setText(this.#use, [percent(rates?.cpuPercent), size(view.residentBytes)].filter(Boolean).join(' · '));
    this.#meter.value = view.memoryBytes ? Math.min(1, (view.residentBytes ?? 0) / view.memoryBytes) : 0;
    for (const each of [this.#plot.element, this.#meter])
      each.classList.toggle('none', view.residentBytes === undefined);
    for (const [cell, value] of [
      [this.#disk, diskRate(view)],
      [this.#network, networkRate(view)],
    ]) {
      setText(cell, rates ? rate(value) : '');
      cell.classList.toggle('soft', value === 0);
    }
    setText(this.#up, uptime(view.startSeconds));
    this.#plot.draw([history.cpu], 100 * (view.vcpus ?? 1));
    this.#offer(state);
  }

  #offer(state) {
    const names = actionsFor(state).filter((name) => name !== 'reset' && name !== 'force-stop');
    renew(this.#actions, names, () =>
      names.map((action) => {
        const text = `${wordsOf(action).label} ${this.#name}`;
        return el(
          'button',
          { type: 'button', class: 'ghost', 'aria-label': text, title: text, onclick: () => act(this.#name, action) },
          icon(wordsOf(action).icon),
        );
      }),
    );
  }
}

/** What is going on with it, in a few words. */
function detailOf(view) {
  const [task] = runningTasks(view.name);
  const [job] = view.jobs;
  const failed = view.disks
    .filter(({ ioStatus }) => ioStatus !== 'ok')
    .map(({ disk, ioStatus }) => `${disk}: ${ioStatus}`);
  return [
    ...failed,
    ...(task ? [stepText(task)] : job ? [`${job.action} ${job.device} ${Math.floor(100 * job.ratio)} %`] : []),
    ...(!task && !job && view.work ? [view.work.what] : []),
    ...(!task && !view.work && view.busy ? [`${view.busy} in progress`] : []),
    ...(view.shortName && view.shortName !== view.name ? [view.shortName] : []),
    ...(view.description ? [view.description] : []),
  ].join(' · ');
}
