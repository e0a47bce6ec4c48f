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

// Behind a reverse proxy that knows its users there is none.
const headers = token === null ? {} : { authorization: `Bearer ${token}` };

/** An answer of the server, or an error with its text and status. */
export function get(path) {
  return ask(path, { headers });
}

export function post(path, body = {}) {
  return ask(path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function ask(path, options) {
  const response = await fetch(path, options);
  if (response.ok) return response.json();
  throw Object.assign(new Error(await reasonOf(response)), { status: response.status });
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

/**
 * Calls back with each document, and with whether the server is there; connects again when it was away.
 *
 * @returns ends it.
 */
export function follow(path, onDocument, onState) {
  const over = new AbortController();
  void run();
  return () => over.abort();

  async function run() {
    while (!over.signal.aborted) {
      try {
        await readFeed(path, over.signal, onDocument, onState);
      } catch (error) {
        if (over.signal.aborted) return;
        if (error.status === 401) {
          onState('refused');
          return;
        }
      }
      if (over.signal.aborted) return;
      onState('lost');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** The server sends something each second; one that does not for so long is away, whatever the connection says. */
const SILENCE_MS = 10_000;

async function readFeed(path, signal, onDocument, onState) {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const response = await fetch(path, { headers, signal: AbortSignal.any([signal, silent.signal]) });
    if (!response.ok) throw Object.assign(new Error('refused'), { status: response.status });
    onState('live');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS);
      rest += value;
      const parts = rest.split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (part.startsWith('data: ')) onDocument(JSON.parse(part.slice('data: '.length)));
    }
  } finally {
    clearTimeout(timer);
  }
}
