import { el, renew, setText } from './dom.js';
import { Plot } from './plot.js';
import { moment, percent, rate, size } from './text.js';
import { reasonOf } from './words.js';

/** What a machine does now and did in the last two minutes, and what it consists of. */
export class OverviewPane {
  #cards;
  #facts = el('dl', { class: 'facts' });
  #disks = el('div', { class: 'rows' });
  #plots;
  #reason = el('p', { class: 'banner', hidden: true });
  #work = el('div', { class: 'card wide-card', hidden: true });

  constructor(name) {
    this.#cards = [
      card('Processor', name, [''], (view, history) => ({
        text: percent(view.rates?.cpuPercent),
        series: [history.cpu],
        top: 100 * (view.vcpus ?? 1),
        format: percent,
      })),
      card('Memory of the host', name, [''], (view, history) => ({
        text: size(view.residentBytes),
        more: view.memoryBytes ? `the guest has ${size(view.memoryBytes)}` : '',
        series: [history.memory],
        top: view.memoryBytes ?? 0,
        format: size,
      })),
      card('Disks', name, ['read', 'written'], ({ rates }, history) => ({
        text: rates ? `${rate(rates.readBytesPerSecond)}` : '',
        second: rates ? `${rate(rates.writtenBytesPerSecond)}` : '',
        series: [history.read, history.written],
        top: 65_536,
        format: rate,
      })),
      card('Network', name, ['received', 'sent'], ({ rates }, history) => ({
        text: rates ? `${rate(rates.receivedBytesPerSecond)}` : '',
        second: rates ? `${rate(rates.transmittedBytesPerSecond)}` : '',
        series: [history.received, history.sent],
        top: 65_536,
        format: rate,
      })),
    ];
    const about = el('div', { class: 'card' }, el('h2', {}, 'About'), this.#facts);
    const disks = el('div', { class: 'card' }, el('h2', {}, 'Drives'), this.#disks);
    this.#plots = el('div', { class: 'cards plots' }, ...this.#cards.map(({ element }) => element));
    this.element = el('div', {}, this.#reason, this.#work, this.#plots, el('div', { class: 'cards' }, about, disks));
  }

  update(view, history) {
    // One that does not run has none.
    this.#plots.hidden = view.pid === undefined;
    const reason = reasonOf(view.state);
    this.#reason.hidden = reason === undefined;
    setText(this.#reason, reason ?? '');
    for (const each of this.#cards) each.update(view, history);
    const facts = [
      ['Short name', view.shortName],
      ['System', view.os],
      ['Processors', view.vcpus],
      ['Memory', size(view.memoryBytes)],
      ['Process', view.pid],
      ['Started', view.startSeconds ? moment(new Date(1000 * view.startSeconds).toISOString()) : ''],
    ].filter(([, value]) => value !== null && value !== undefined && value !== '');
    renew(this.#facts, facts, () => facts.flatMap(([key, value]) => [el('dt', {}, key), el('dd', {}, String(value))]));
    renew(this.#disks, [view.disks, view.pid === undefined, view.state], () =>
      view.disks.length > 0 ? view.disks.map(driveRow) : [el('p', { class: 'soft' }, noDrives(view))],
    );
    this.#updateWork(view);
  }

  /** What is done to it by whoever: jobs inside QEMU, and work of commands. */
  #updateWork({ jobs, work, busy }) {
    this.#work.hidden = jobs.length === 0 && !work && !busy;
    renew(this.#work, [jobs, work, busy], () => [
      el('h2', {}, 'In progress'),
      ...jobs.map(jobRow),
      ...(work
        ? [el('p', {}, `${work.what}, since ${moment(work.startedAt)}${work.isLeft ? ': its command has ended' : ''}`)]
        : []),
      ...(busy && !work && jobs.length === 0 ? [el('p', {}, `qemu-init ${busy}`)] : []),
    ]);
  }

  close() {}
}

function noDrives({ pid, state }) {
  if (pid === undefined) return 'Shown while the machine runs.';
  return state === 'unresponsive' ? 'QEMU does not answer.' : 'None.';
}

function driveRow({ disk, sizeBytes, allocatedBytes, ioStatus }) {
  const isBad = ioStatus !== 'ok';
  const used = allocatedBytes === undefined ? '' : `${size(allocatedBytes)} on the host`;
  const text = sizeBytes === undefined ? 'empty' : [size(sizeBytes), used].filter(Boolean).join(', ');
  return el(
    'div',
    { class: 'row' },
    el('strong', {}, disk.toUpperCase()),
    el('span', { class: 'soft' }, text),
    isBad ? el('span', { class: 'state bad' }, ioStatus === 'nospace' ? 'no space on the host' : ioStatus) : undefined,
  );
}

function jobRow({ job, action, device, ratio, done, total }) {
  const label = `${action} ${device.toUpperCase()}`.trim();
  // What is so small is no number of bytes.
  const amount = total >= 65_536 ? `${size(done)} of ${size(total)}` : '';
  return el(
    'div',
    { class: 'job', title: job },
    el('span', {}, label),
    el('progress', { max: '1', value: String(ratio), 'aria-label': label }),
    el('span', { class: 'soft' }, `${Math.floor(100 * ratio)} % ${amount}`),
  );
}

/** @param names of its lines; a single one needs none. */
function card(title, name, names, read) {
  const value = el('span');
  const more = el('span', { class: 'soft' });
  const second = el('span');
  const top = el('span', { class: 'top', 'aria-hidden': 'true' });
  const plot = new Plot('plot', 120, `${title} of ${name} in the last two minutes`, names.length);
  const values =
    names.length === 1 ? [value, ' ', more] : [legend(value, names[0], 'n0'), legend(second, names[1], 'n1')];
  return {
    element: el(
      'div',
      { class: 'card' },
      el('h2', {}, title),
      el('div', { class: 'value' }, ...values),
      el('div', { class: 'frame' }, plot.element, top),
      el('div', { class: 'axis', 'aria-hidden': 'true' }, el('span', {}, '2 min ago'), el('span', {}, 'now')),
    ),
    update(view, history) {
      const shown = read(view, history);
      setText(value, shown.text || '–');
      setText(second, shown.second || '–');
      setText(more, shown.text ? (shown.more ?? '') : '');
      setText(top, shown.format(plot.draw(shown.series, shown.top)));
    },
  };
}

function legend(value, name, className) {
  return el('span', { class: `legend ${className}` }, value, ' ', el('span', { class: 'soft' }, name));
}
