/** What the page costs: its server with 50 machines and a page that is open, and a browser's first look at it. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { tool } from './lab.mjs';

const BROWSER = '/usr/bin/chromium';
/** Samples that are waited for before the processor time counts: the first ones compile what runs later. */
const SETTLED = 15;
const LOOKS = 30;
const LOADS = 1000;

/**
 * @param lab with machines that run.
 * @returns share of one processor, what 1,000 loads leave, and the milliseconds until the browser shows the list.
 */
export async function timeWeb(lab) {
  const { child, link } = await serve(lab);
  try {
    const share = await shareOf(child.pid, link);
    const leaks = await loadOften(child.pid, link);
    return { share, leaks, paintMs: existsSync(BROWSER) ? await paint(link, lab.names[0]) : undefined };
  } finally {
    child.kill();
  }
}

async function serve(lab) {
  const child = spawn(tool('qemu-init'), ['web', '--listen', '127.0.0.1:20999'], {
    env: { ...process.env, QEMU_INIT_ROOT: lab.dir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const link = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text) => resolve(new URL(text.trim())));
    child.once('exit', () => reject(new Error('the page is not served')));
  });
  return { child, link };
}

/** The feed, as a page reads it: calls back with each piece. */
function openFeed(link, onPiece) {
  const headers = { authorization: `Bearer ${link.hash.split('=')[1]}` };
  return get({ host: link.hostname, port: link.port, path: '/api/feed', headers, agent: false }, (response) => {
    response.on('data', onPiece).on('error', () => {});
  }).on('error', () => {});
}

async function shareOf(pid, link) {
  let looks = 0;
  const feed = openFeed(link, (piece) => {
    if (String(piece).includes('data: ')) looks += 1;
  });
  const untilLook = async (count) => {
    while (looks < count) await sleep(20);
  };
  await untilLook(SETTLED);
  const [cpu, start] = [cpuSeconds(pid), performance.now()];
  await untilLook(SETTLED + LOOKS);
  const share = (1000 * (cpuSeconds(pid) - cpu)) / (performance.now() - start);
  feed.destroy();
  return share;
}

/** proc_pid_stat(5): fields 14 and 15, in hundredths of a second. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function loadOften(pid, link) {
  const load = () =>
    new Promise((resolve) => {
      const feed = openFeed(link, () => {
        feed.destroy();
        resolve();
      });
    });
  const state = () => ({
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    rss: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024,
  });
  const loads = async () => {
    // The round of looks goes on while one page is open: that is not what is measured here.
    const open = openFeed(link, () => {});
    for (let i = 0; i < LOADS; i++) await load();
    open.destroy();
    await sleep(3000);
    return state();
  };
  const before = await loads();
  const after = await loads();
  return { loads: LOADS, descriptors: after.descriptors - before.descriptors, mib: after.rss - before.rss };
}

async function paint(link, name) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  try {
    const times = [];
    for (let i = 0; i < 5; i++) {
      const page = await browser.newPage();
      await page.goto(link.href);
      await page.locator(`tr[data-name=${name}]`).waitFor();
      const [entry] = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)",
      );
      times.push(entry);
      await page.close();
    }
    return times.sort((a, b) => a - b)[2];
  } finally {
    await browser.close();
  }
}
