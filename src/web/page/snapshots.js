import { act } from './actions.js';
import { el, renew, setText } from './dom.js';
import { detail } from './store.js';
import { ago, moment, size } from './text.js';

/** The snapshots of a machine; with control, a new one and what can be done with each. */
export class SnapshotsPane {
  #name;
  #mayAct;
  #list = el('div');
  #memory = el('input', { type: 'checkbox', name: 'memory', id: 'snapshot-memory' });
  #memoryField;

  constructor(name, mayAct) {
    this.#name = name;
    this.#mayAct = mayAct;
    this.#memoryField = el(
      'label',
      { class: 'check', for: 'snapshot-memory' },
      this.#memory,
      'With memory: the guest stands still meanwhile',
    );
    this.element = el('div', {}, mayAct ? this.#form() : undefined, this.#list);
  }

  #form() {
    const name = el('input', {
      name: 'name',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: '100',
      placeholder: 'date and time',
    });
    const description = el('input', { name: 'description', autocomplete: 'off', maxlength: '200' });
    const form = el(
      'form',
      { class: 'card form' },
      el('label', {}, el('span', {}, 'Name'), name),
      el('label', { class: 'grow' }, el('span', {}, 'Description'), description),
      this.#memoryField,
      el('button', { type: 'submit', class: 'main' }, 'New snapshot'),
    );
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const wish = { name: name.value.trim(), description: description.value.trim(), memory: this.#memory.checked };
      if (await act(this.#name, 'snapshot-create', wish)) form.reset();
    });
    return form;
  }

  update(view) {
    // Memory is a thing of machines that run.
    this.#memoryField.hidden = view.pid === undefined;
    if (view.pid === undefined) this.#memory.checked = false;
    const own = detail?.name === this.#name ? detail : undefined;
    renew(this.#list, own ? [own.snapshots, own.snapshotsError] : [], () => this.#rows(own));
    for (const each of this.#list.querySelectorAll('time')) setText(each, ago(each.dateTime));
  }

  #rows(own) {
    if (!own) return [el('p', { class: 'empty' }, 'Reading …')];
    if (own.snapshotsError) return [el('p', { class: 'banner', role: 'alert' }, own.snapshotsError)];
    if (own.snapshots.length === 0) {
      return [
        el(
          'div',
          { class: 'empty' },
          el('h2', {}, 'No snapshots'),
          el('p', {}, 'A snapshot keeps the disks as they are at one instant.'),
        ),
      ];
    }
    const headings = ['Snapshot', 'Made', 'With', 'Disks'];
    const last = this.#mayAct ? el('th', { scope: 'col' }, el('span', { class: 'hidden' }, 'Actions')) : undefined;
    const classes = ['', '', 'medium', 'medium'];
    const head = el(
      'tr',
      {},
      ...headings.map((text, at) => el('th', { scope: 'col', class: classes[at] }, text)),
      last,
    );
    const rows = own.snapshots.toReversed().map((snapshot) => this.#row(snapshot));
    return [
      el(
        'table',
        { class: 'table' },
        el('caption', { class: 'hidden' }, `Snapshots of ${this.#name}`),
        el('thead', {}, head),
        el('tbody', {}, ...rows),
      ),
    ];
  }

  #row(snapshot) {
    const { name, description, created, memory, quiesced, external, sizeBytes, disks } = snapshot;
    const traits = [
      ...(memory ? [`memory, ${size(sizeBytes)}`] : []),
      ...(quiesced ? ['file systems frozen'] : []),
      ...(external ? ['overlays'] : []),
    ];
    return el(
      'tr',
      { 'data-snapshot': name },
      el('td', {}, el('strong', {}, name), description ? el('span', { class: 'sub' }, description) : undefined),
      el('td', {}, el('time', { datetime: created, title: moment(created) }, ago(created))),
      el('td', { class: 'medium soft' }, traits.join(', ')),
      el('td', { class: 'medium soft' }, disks.join(', ')),
      this.#mayAct
        ? el(
            'td',
            {},
            el(
              'div',
              { class: 'actions' },
              this.#button('snapshot-revert', 'Revert', name),
              this.#button('snapshot-delete', 'Delete', name),
            ),
          )
        : undefined,
    );
  }

  #button(action, label, name) {
    const attributes = {
      type: 'button',
      class: 'small',
      'aria-label': `${label} ${name}`,
      onclick: () => act(this.#name, action, { name }),
    };
    return el('button', attributes, label);
  }

  close() {}
}
