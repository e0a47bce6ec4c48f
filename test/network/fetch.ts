import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What a server answers, once it does. */
export async function fetchPatiently(host: string, port: number): Promise<string> {
  for (let tries = 100; ; tries -= 1) {
    try {
      return await fetchText(host, port);
    } catch (error) {
      if (tries === 0) throw error;
      await delay(200);
    }
  }
}

function fetchText(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path: '/', timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
