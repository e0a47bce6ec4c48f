import { act } from './actions.js';
import { el, renew, setText } from './dom.js';
import { detail, runningTasks } from './store.js';
import { ago, moment, size } from './text.js';

/** The backups of a machine in the folder that its file names; with control, a new one. */
export class BackupsPane {
  #name;
  #mayAct;
  #head = el('div');
  #list = el('div');

  constructor(name, mayAct) {
    this.#name = name;
    this.#mayAct = mayAct;
    this.element = el('div', {}, this.#head, this.#list);
  }

  update() {
    const own = detail?.name === this.#name ? detail : undefined;
    const isBusy = runningTasks(this.#name).some(({ action }) => action === 'backup-create');
    renew(this.#head, [own?.backups?.dest, isBusy], () =>
      own?.backups ? [this.#about(own.backups.dest, isBusy)] : [],
    );
    renew(this.#list, own ? [own.backups ?? null] : [], () => this.#rows(own));
    for (const each of this.#list.querySelectorAll('time')) setText(each, ago(each.dateTime));
  }

  #about(dest, isBusy) {
    const start = (wish) => () => act(this.#name, 'backup-create', wish);
    return el(
      'div',
      { class: 'card form' },
      el('p', { class: 'grow' }, el('span', { class: 'soft' }, 'Folder '), el('code', {}, dest)),
      ...(this.#mayAct
        ? [
            el('button', { type: 'button', disabled: isBusy, onclick: start({ full: true }) }, 'Full backup'),
            el('button', { type: 'button', class: 'main', disabled: isBusy, onclick: start({}) }, 'Back up now'),
          ]
        : []),
    );
  }

  #rows(own) {
    if (!own) return [el('p', { class: 'empty' }, 'Reading …')];
    const { backups } = own;
    if (!backups) {
      return [
        el(
          'div',
          { class: 'empty' },
          el('h2', {}, 'No folder for backups'),
          el('p', {}, 'With a line such as this in the file of the machine, they are shown and made here:'),
          el('code', {}, 'BACKUP=/srv/backup,keep=30'),
        ),
      ];
    }
    if (backups.error) return [el('p', { class: 'banner', role: 'alert' }, backups.error)];
    if (backups.points.length === 0) return [el('div', { class: 'empty' }, el('h2', {}, 'No backups yet'))];
    const headings = ['Point', 'Made', 'Kind', 'Size'];
    const head = el(
      'tr',
      {},
      ...headings.map((text, at) =>
        el('th', { scope: 'col', class: at === 3 ? 'number' : at === 2 ? 'medium' : '' }, text),
      ),
    );
    const rows = backups.points.toReversed().map(row);
    return [
      el(
        'table',
        { class: 'table' },
        el('caption', { class: 'hidden' }, `Backups of ${this.#name}`),
        el('thead', {}, head),
        el('tbody', {}, ...rows),
      ),
    ];
  }

  close() {}
}

function row({ point, kind, createdAt, sizeBytes, error }) {
  return el(
    'tr',
    { 'data-point': point },
    el('td', {}, el('strong', {}, point), error ? el('span', { class: 'sub bad' }, error) : undefined),
    el('td', {}, createdAt ? el('time', { datetime: createdAt, title: moment(createdAt) }, ago(createdAt)) : ''),
    el('td', { class: 'medium' }, kind ?? el('span', { class: 'state bad' }, 'damaged')),
    el('td', { class: 'number' }, size(sizeBytes)),
  );
}
