import type { TransientMachine } from '../../src/index.ts';

/** Waits until the guest of a machine in code has printed a text, and returns all that it printed since the last wait. */
export async function consoleText(machine: TransientMachine, wanted: string, timeoutMs = 30_000): Promise<string> {
  const { console } = machine;
  const timer = setTimeout(
    () => console.destroy(new Error(`The guest did not print "${wanted}", but:\n${text}`)),
    timeoutMs,
  );
  let text = '';
  try {
    for await (const chunk of console.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.includes(wanted)) return text;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`The machine ended before it printed "${wanted}", but:\n${text}\n${machine.log}`);
}
