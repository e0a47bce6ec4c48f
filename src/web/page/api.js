/** The word from the link. It is kept for this tab alone, and sent only to this server. */
const KEY = 'token';

function takeToken() {
  const match = /[#&]token=([\w-]+)/.exec(location.hash);
  if (match) {
    sessionStorage.setItem(KEY, match[1]);
    history.replaceState(null, '', `${location.pathname}#/`);
  }
  return sessionStorage.getItem(KEY);
}

const token = takeToken();

export const hasToken = token !== null;

const headers = { authorization: `Bearer ${token}` };

/** An answer of the server, or an error with its text. */
export async function get(path) {
  const response = await fetch(path, { headers });
  if (!response.ok) throw new Error(await reasonOf(response));
  return response.json();
}

export async function post(path) {
  const response = await fetch(path, { method: 'POST', headers });
  if (!response.ok) throw new Error(await reasonOf(response));
  return response.json();
}

async function reasonOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text.trim() || `status ${response.status}`;
  }
}

/** A WebSocket to a screen or a console; its ticket is good for this one. */
export async function ticketUrl(kind, name) {
  const { ticket } = await post(`/api/ticket/${kind}/${encodeURIComponent(name)}`);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/ws/${kind}/${encodeURIComponent(name)}?ticket=${ticket}`;
}

/** Calls back with each sample, and with whether the server is there; connects again when it was away. */
export async function follow(onSample, onState) {
  for (;;) {
    try {
      await readFeed(onSample, onState);
    } catch (error) {
      if (error.status === 401) {
        onState('refused');
        return;
      }
    }
    onState('lost');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function readFeed(onSample, onState) {
  const response = await fetch('/api/feed', { headers });
  if (!response.ok) throw Object.assign(new Error('refused'), { status: response.status });
  onState('live');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('data: ')) onSample(JSON.parse(part.slice('data: '.length)));
  }
}
