import { post } from './api.js';
import { el } from './dom.js';

const ASK = { stop: 'Stop', reset: 'Reset' };

export function say(text, isBad = false) {
  const line = el('p', { class: isBad ? 'bad' : undefined }, text);
  document.querySelector('#messages').append(line);
  setTimeout(() => line.remove(), isBad ? 15_000 : 6000);
}

/** Does something with a machine, after a question when the guest would notice. */
export async function act(name, action) {
  if (ASK[action] && !(await ask(`${ASK[action]} ${name}?`, ASK[action]))) return;
  say(`${name}: ${action} …`);
  try {
    const { text } = await post(`/api/machines/${encodeURIComponent(name)}/${action}`);
    say(`${name}: ${text}`);
  } catch (error) {
    say(`${name}: ${error.message}`, true);
  }
}

function ask(text, yes) {
  const dialog = document.querySelector('#ask');
  document.querySelector('#ask-text').textContent = text;
  document.querySelector('#ask-yes').textContent = yes;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** What can be done in a state. */
export function actionsFor(state) {
  if (state === 'stopped' || state === 'dead' || state === 'saved') return ['start'];
  if (state === 'paused' || state === 'prelaunch' || state === 'io-error') return ['resume', 'stop'];
  return ['pause', 'reset', 'stop'];
}
