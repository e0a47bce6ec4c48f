import { follow, get, hasToken } from './api.js';
import { Detail } from './detail.js';
import { el, setText } from './dom.js';
import { List } from './list.js';
import { machines, stateOf, take } from './store.js';

const main = document.querySelector('#main');
const filter = document.querySelector('#filter');
const link = document.querySelector('#link');
let mayAct = false;
let view;

function show() {
  view?.close?.();
  const name = /^#\/m\/(.+)$/.exec(location.hash)?.[1];
  view = name === undefined ? new List(mayAct) : new Detail(decodeURIComponent(name), mayAct);
  main.replaceChildren(view.element);
  document.title = name === undefined ? 'Machines' : decodeURIComponent(name);
  refresh();
}

function refresh() {
  view?.update(filter.value);
  const states = [...machines.values()].map(({ view: each }) => stateOf(each));
  const running = states.filter((state) => state === 'running').length;
  setText(document.querySelector('#counts'), `${states.length} machines, ${running} running`);
}

const TEXTS = { live: 'live', lost: 'the server is away', refused: 'the link is no longer valid' };

async function begin() {
  if (!hasToken) {
    link.hidden = true;
    main.replaceChildren(
      el(
        'div',
        { class: 'empty' },
        el('p', {}, 'Open the link that the server printed:'),
        el('code', {}, 'qemu-init web'),
      ),
    );
    return;
  }
  await follow(
    (sample) => {
      take(sample);
      refresh();
    },
    async (state) => {
      link.className = `link ${state === 'live' ? 'live' : 'lost'}`;
      setText(link, TEXTS[state]);
      if (state !== 'live' || view) return;
      const info = await get('/api/info');
      ({ mayAct } = info);
      setText(document.querySelector('#host'), info.host);
      show();
    },
  );
}

filter.addEventListener('input', refresh);
addEventListener('hashchange', () => {
  if (view) show();
});
void begin();
