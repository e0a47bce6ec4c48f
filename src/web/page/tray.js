import { act } from './actions.js';
import { post } from './api.js';
import { el, icon, renew, setText } from './dom.js';
import { refusals, tasks } from './store.js';
import { progressText, rungText, secondsOf } from './task-text.js';
import { wordsOf } from './words.js';

/** How long what went well is shown. */
const SHOWN_MS = 6000;

/** What goes on, and how it ended, whichever machine is shown. */
export class Tray {
  #element;
  #mayAct;
  #say;
  #cards = new Map();
  #hidden = new Set();

  /** @param say tells those who cannot see it. */
  constructor(element, mayAct, say) {
    this.#element = element;
    this.#mayAct = mayAct;
    this.#say = say;
  }

  update() {
    const shown = [...tasks, ...refusals].filter(({ id }) => !this.#hidden.has(id));
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, card] of this.#cards) {
      if (ids.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    for (const task of shown) {
      const card = this.#cards.get(task.id) ?? this.#add(task);
      if (card.update(task)) this.#end(task);
    }
  }

  #add({ id, state }) {
    const card = new Card(id, this.#mayAct, () => this.#hide(id));
    this.#cards.set(id, card);
    this.#element.append(card.element);
    // A page that was opened later has not seen it go on.
    if (state === 'done') this.#hidden.add(id);
    return card;
  }

  #end({ id, machine, action, state, text }) {
    this.#say(`${machine}: ${state === 'failed' ? `${wordsOf(action).label} failed: ` : ''}${text}`);
    if (state === 'done') setTimeout(() => this.#hideSoon(id), SHOWN_MS);
  }

  /** Not while somebody reads it. */
  #hideSoon(id) {
    if (this.#element.matches(':hover, :focus-within')) setTimeout(() => this.#hideSoon(id), SHOWN_MS);
    else this.#hide(id);
  }

  #hide(id) {
    this.#hidden.add(id);
    this.update();
  }
}

class Card {
  #title = el('h2');
  #text = el('p', { class: 'soft' });
  #ladder = el('ol', { class: 'ladder', hidden: true });
  #progress = el('progress', { max: '1', hidden: true });
  #buttons = el('div', { class: 'buttons' });
  #isOver = false;

  constructor(id, mayAct, hide) {
    this.id = id;
    this.mayAct = mayAct;
    this.hide = hide;
    this.element = el(
      'article',
      { class: 'task', 'data-task': id },
      this.#title,
      this.#ladder,
      this.#progress,
      this.#text,
      this.#buttons,
    );
  }

  /** Whether it has ended with this update. */
  update(task) {
    const { machine, action, state, text, step, progress } = task;
    const words = wordsOf(action);
    this.element.className = `task ${state}`;
    setText(this.#title, state === 'running' ? `${words.doing} ${machine}` : `${machine}: ${text}`);
    if (state === 'failed') setText(this.#title, `${machine}: ${words.label} failed`);
    this.#ladder.hidden = !step;
    if (step) drawLadder(this.#ladder, task);
    this.#drawProgress(state, progress);
    setText(this.#text, state === 'failed' ? text : state === 'running' ? this.#now(task) : '');
    this.#offer(task);
    const hasEnded = state !== 'running' && !this.#isOver;
    this.#isOver = state !== 'running';
    return hasEnded;
  }

  #now({ step, progress, user }) {
    if (progress) return progressText(progress);
    if (!step) return user === undefined ? '' : `by ${user}`;
    const current = step.plan[step.at];
    return `${rungText(current)}: ${Math.floor(secondsOf(step))} s of at most ${Math.round(current.timeoutMs / 1000)} s`;
  }

  #drawProgress(state, progress) {
    this.#progress.hidden = state !== 'running' || !progress;
    if (!progress) return;
    this.#progress.setAttribute('aria-label', progress.phase);
    if (progress.total > 0) this.#progress.value = progress.done / progress.total;
    else this.#progress.removeAttribute('value');
  }

  #offer({ id, machine, action, state, progress, isHere }) {
    const canCancel = this.mayAct && state === 'running' && (action === 'backup-create' || progress !== undefined);
    const canForce = this.mayAct && state === 'running' && action === 'stop';
    renew(this.#buttons, [state, canCancel, canForce], () => [
      ...(canForce ? [button('Stop at once', () => act(machine, 'force-stop'))] : []),
      ...(canCancel ? [button('Cancel', () => post(`/api/tasks/${id}/cancel`))] : []),
      ...(state === 'running' ? [] : [this.#dismiss(id, isHere)]),
    ]);
  }

  #dismiss(id, isHere) {
    const onclick = () => {
      this.hide();
      if (this.mayAct && !isHere) void post(`/api/tasks/${id}/dismiss`);
    };
    return el(
      'button',
      { type: 'button', class: 'ghost', 'aria-label': 'Dismiss', title: 'Dismiss', onclick },
      icon('close'),
    );
  }
}

function button(text, onclick) {
  return el('button', { type: 'button', class: 'small', onclick }, text);
}

/** The steps of a stop: those that are over, the one that goes on, and those that may come. */
function drawLadder(list, { step, state, rung }) {
  const { plan, at } = step;
  renew(list, [at, state, rung, plan.length], () =>
    plan.map((each, index) => {
      const isEnd = rung !== undefined && each.rungs.includes(rung);
      const isNow = state === 'running' && index === at;
      const place = isEnd ? 'end' : isNow ? 'now' : index < at ? 'over' : '';
      const attributes = { class: place, 'aria-current': place === 'now' ? 'step' : undefined };
      return el('li', attributes, el('span', {}, rungText(each)));
    }),
  );
}
