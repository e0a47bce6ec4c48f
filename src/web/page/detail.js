import { act } from './actions.js';
import { BackupsPane } from './backups.js';
import { ConsolePane } from './console.js';
import { el, icon, renew, setText } from './dom.js';
import { EventsPane } from './events.js';
import { LogPane } from './log.js';
import { OverviewPane } from './overview.js';
import { ScreenPane } from './screen.js';
import { SnapshotsPane } from './snapshots.js';
import { machines, stateOf } from './store.js';
import { stateClass, uptime } from './text.js';
import { actionsFor, wordsOf } from './words.js';

const PANES = {
  Overview: OverviewPane,
  Screen: ScreenPane,
  Console: ConsolePane,
  Snapshots: SnapshotsPane,
  Backups: BackupsPane,
  Events: EventsPane,
  Log: LogPane,
};

/** One machine: what it does, its screen, its console, its snapshots, backups and log. */
export class Detail {
  #name;
  #mayAct;
  #state = el('span', { class: 'state', role: 'status' });
  #up = el('span', { class: 'soft' });
  #description = el('p', { class: 'sub' });
  #actions = el('div', { class: 'actions' });
  #panel = el('section', { role: 'tabpanel', id: 'panel', tabindex: '0' });
  #tabs;
  #pane;

  constructor(name, mayAct) {
    this.#name = name;
    this.#mayAct = mayAct;
    this.#tabs = Object.keys(PANES).map((title) =>
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
    const back = el('a', { class: 'back', href: '#/' }, 'Machines');
    this.element = el(
      'div',
      {},
      el('nav', { 'aria-label': 'Back' }, back),
      el('div', { class: 'head' }, el('h1', {}, name), this.#state, this.#up, this.#actions, this.#description),
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
    if (this.#state.className !== stateClass(state)) this.#state.className = stateClass(state);
    setText(this.#state, found || machines.size === 0 ? state : 'not there');
    setText(this.#description, found?.view.description ?? '');
    setText(this.#up, found ? uptime(found.view.startSeconds) : '');
    if (this.#mayAct) this.#offer(found ? actionsFor(state) : []);
    if (found) this.#pane?.update(found.view, found.history);
  }

  #offer(names) {
    renew(this.#actions, names, () =>
      names.map((action) => {
        const { label, icon: picture } = wordsOf(action);
        const className = action === 'start' ? 'main' : action.endsWith('stop') ? 'danger' : undefined;
        const onclick = () => act(this.#name, action);
        return el('button', { type: 'button', class: className, onclick }, icon(picture), label);
      }),
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
    this.#pane = new PANES[title](this.#name, this.#mayAct);
    this.#panel.replaceChildren(this.#pane.element);
    this.update();
  }

  #arrow(event) {
    const at = this.#tabs.indexOf(document.activeElement);
    const last = this.#tabs.length - 1;
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
      event.key
    ];
    if (next === undefined) return;
    event.preventDefault();
    this.#tabs[next].focus();
    this.#tabs[next].click();
  }
}
