import { setText } from './dom.js';

/** Tells those who cannot see the page; what it is about is shown elsewhere. */
export function say(text) {
  setText(document.querySelector('#said'), text);
}

/**
 * Asks, and resolves with whether the answer is yes; with a field, to what was entered or undefined.
 *
 * @param {{ title: string, text?: string, yes: string, isDanger?: boolean, field?: string }} question
 */
export function ask({ title, text = '', yes, isDanger = false, field }) {
  const dialog = document.querySelector('#ask');
  const input = dialog.querySelector('#ask-input');
  const button = dialog.querySelector('#ask-yes');
  setText(dialog.querySelector('#ask-title'), title);
  setText(dialog.querySelector('#ask-text'), text);
  setText(dialog.querySelector('#ask-label'), field ?? '');
  setText(button, yes);
  button.className = isDanger ? 'danger' : 'main';
  dialog.querySelector('#ask-field').hidden = field === undefined;
  input.value = '';
  // The first button of a form is what Enter would press: here that is the one that does nothing.
  input.onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    dialog.close('yes');
  };
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const isYes = dialog.returnValue === 'yes';
        const { value } = input;
        input.value = '';
        resolve(field === undefined ? isYes : isYes ? value : undefined);
      },
      { once: true },
    );
  });
}
