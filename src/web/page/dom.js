const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children; text is always text. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** An element of a drawing. */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const ICONS = {
  start: 'M5 3.2v9.6c0 .5.5.8.9.5l7.2-4.8c.4-.2.4-.8 0-1L5.9 2.7c-.4-.3-.9 0-.9.5z',
  stop: 'M4.5 3.5h7a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z',
  pause: 'M4.5 3h2v10h-2zM9.5 3h2v10h-2z',
  reset: 'M8 3a5 5 0 1 0 5 5h-1.6A3.4 3.4 0 1 1 8 4.6V7l4-3.2L8 .6z',
  close: 'M4.3 3.2 3.2 4.3 6.9 8l-3.7 3.7 1.1 1.1L8 9.1l3.7 3.7 1.1-1.1L9.1 8l3.7-3.7-1.1-1.1L8 6.9z',
};

/** A small picture for an action; its name has to be written elsewhere. */
export function icon(name) {
  return draw(
    'svg',
    { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    draw('path', { d: ICONS[name] ?? '' }),
  );
}

/** Sets a text only when it has changed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes the children of an element anew only when what they show has changed. */
export function renew(element, key, make) {
  const text = JSON.stringify(key);
  if (element.dataset.shown === text) return;
  element.dataset.shown = text;
  element.replaceChildren(...make());
}
