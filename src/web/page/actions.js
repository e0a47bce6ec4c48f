import { post } from './api.js';
import { ask } from './say.js';
import { refuse } from './store.js';
import { wordsOf } from './words.js';

/** Does something with a machine, after a question when the guest would notice. Resolves with whether it was begun. */
export async function act(name, action, wish = {}) {
  const { question } = wordsOf(action);
  if (question && !(await ask(question(name, wish)))) return false;
  try {
    await post(`/api/machines/${encodeURIComponent(name)}/${action}`, wish);
    return true;
  } catch (error) {
    refuse(name, action, error.message);
    return false;
  }
}
