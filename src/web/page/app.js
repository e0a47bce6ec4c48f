import { follow, get } from './api.js';
import { Detail } from './detail.js';
import { el, setText } from './dom.js';
import { List } from './list.js';
import { say } from './say.js';
import { take } from './store.js';
import { Tray } from './tray.js';

const main = document.querySelector('#main');
const filter = document.querySelector('#filter');
const link = document.querySelector('#link');
const problem = document.querySelector('#problem');
let info;
let view;
let tray;
let stopFollowing;

const nameInAddress = () => {
  const [, name] = /^#\/m\/(.+)$/.exec(location.hash) ?? [];
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    return undefined;
  }
};

/** Shows what the address names, and asks the server for what that needs. */
function show() {
  view?.close?.();
  const name = nameInAddress();
  view = name === undefined ? new List(info.mayAct) : new Detail(name, info.mayAct);
  filter.closest('.search').hidden = name !== undefined;
  main.replaceChildren(view.element);
  document.title = name === undefined ? `Machines of ${info.host}` : `${name} · ${info.host}`;
  view.update(filter.value);
  listen(name);
}

function listen(name) {
  stopFollowing?.();
  // The details of the machine that is shown are wanted as well.
  const path = name === undefined ? '/api/feed' : `/api/feed?machine=${encodeURIComponent(name)}`;
  stopFollowing = follow(path, onDocument, onState);
}

function onDocument(document_) {
  take(document_);
  setText(problem, document_.problem ?? '');
  problem.hidden = document_.problem === undefined;
  view.update(filter.value);
  tray.update();
}

const TEXTS = { live: 'Live', lost: 'Reconnecting', refused: 'The link is no longer valid' };

function onState(state) {
  link.className = `link ${state}`;
  setText(link, TEXTS[state]);
  main.classList.toggle('stale', state !== 'live');
  if (state !== 'refused') return;
  main.classList.remove('stale');
  invite('This link is no longer valid: the server has a new one.');
}

function invite(text) {
  stopFollowing?.();
  view?.close?.();
  view = undefined;
  main.replaceChildren(
    el(
      'div',
      { class: 'empty' },
      el('h1', {}, text),
      el('p', {}, 'On the host, this prints the link:'),
      el('code', {}, 'qemu-init web --link'),
    ),
  );
}

/** Waits for the server, which may be about to start. */
async function begin() {
  for (;;) {
    try {
      info = await get('/api/info');
      break;
    } catch (error) {
      if (error.status === 401) {
        link.hidden = true;
        invite('Open the link that the server has printed');
        return;
      }
      onState('lost');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  setText(document.querySelector('#host'), info.host);
  document.querySelector('#mode').hidden = info.mayAct;
  tray = new Tray(document.querySelector('#tray'), info.mayAct, say);
  show();
}

filter.addEventListener('input', () => view?.update(filter.value));
filter.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  filter.value = '';
  view?.update('');
});
addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, textarea, .screen, .console');
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  // At once, since what is typed next belongs to it. A change of the address moves the focus, a moment later.
  filter.focus();
  if (nameInAddress() === undefined) return;
  location.hash = '#/';
  setTimeout(() => filter.focus());
});
addEventListener('hashchange', () => {
  if (!view) return;
  show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
void begin();
