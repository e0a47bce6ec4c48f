import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { lab, until } from '../support/lab.ts';
import { mouseDisk } from '../support/mouse-guest.ts';
import { serve, serveSocket } from '../support/web.ts';

let browser: Browser;
before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => browser.close());

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Watched {
  readonly page: Page;
  /** Faults of the page, what its policy refuses, and what it asks others than its server for. */
  readonly faults: string[];
}

async function open(link: string, width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const faults: string[] = [];
  const own = new URL(link).origin;
  page.on('request', (request) => {
    if (!request.url().startsWith(`${own}/`) && !request.url().startsWith('data:')) faults.push(request.url());
  });
  page.on('dialog', (dialog) => faults.push(dialog.message()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(link);
  await page.locator('.link.live').waitFor();
  return { page, faults };
}

/** Faults for people who use a keyboard or a screen reader, as axe-core finds them. */
async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

/** How many points of the screen are not dark. */
function litPoints(page: Page): Promise<number> {
  return page.locator('.screen canvas').evaluate((element) => {
    const drawn = element as unknown as {
      width: number;
      height: number;
      getContext(kind: '2d'): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
      };
    };
    const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if ((data[at] ?? 0) > 100) count += 1;
    return count;
  });
}

/** Resolves with the number of points once it is more than `least` and stays so. */
async function untilLit(page: Page, least: number): Promise<number> {
  let last = -1;
  for (;;) {
    const lit = await litPoints(page);
    // A cursor may blink.
    if (lit > least && Math.abs(lit - last) < 50) return lit;
    last = lit;
    await sleep(700);
  }
}

/** The firmware waits for Escape, a minute at most, so that a key can be seen to have come. */
const BOOT_MENU = '\n[custom]\n-boot menu=on,splash-time=65535\n';
/** A title for the terminal, and what would run in a page that takes it as HTML. */
const HOSTILE = '\x1b]0;evil\x07<img src=x onerror=alert(1)>';

test('the list, a screen, a console that takes keys, a machine that dies', async (t) => {
  const root = lab(t);
  root.add('web', `VNC=unix\nVGA=std\n${BOOT_MENU}`, { echo: true, banner: `tiny guest ready${HOSTILE}` });
  root.add('db', 'DESC=<b>bold</b>\n');
  root.add('off');
  await root.ok('start', 'db');
  const served = await serve(root, '--allow-control');
  const { page, faults } = await open(served.link);
  await page.locator('tr[data-name=db] .state.good').waitFor();
  assert.equal(await page.locator('tr[data-name=db] .sub').first().textContent(), '<b>bold</b>');
  assert.equal(await page.locator('tr[data-name=off] .state').textContent(), 'stopped');
  assert.ok(!page.url().includes('token'), 'the token is not left in the address');
  assert.deepEqual(await page.context().cookies(), []);
  assert.deepEqual(await barriersOf(page), []);

  // By the keyboard alone.
  await page.keyboard.press('/');
  await page.keyboard.type('web');
  await page.locator('tr[data-name=db]').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Start web' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('tr[data-name=web] .state.good').waitFor();
  await page.locator('a.name', { hasText: 'web' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText('Connected: keys and pointer').waitFor();
  const lit = await untilLit(page, 200);
  await page.locator('.screen canvas').focus();
  await page.keyboard.press('Escape');
  await untilLit(page, lit + 200);
  assert.deepEqual(await barriersOf(page), []);
  // The guest gets Tab, so something else has to lead out.
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.textContent || document.activeElement.tagName');
  await page.locator('.screen canvas').click();
  await page.keyboard.press('1');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'CANVAS');
  await page.keyboard.press('Control+Alt');
  await until('the button has the focus', async () => (await focused()) === 'Full screen');

  await page.getByRole('tab', { name: 'Console' }).click();
  await page
    .locator('.console', { hasText: 'tiny guest ready<img src=x onerror=alert(1)>' })
    .waitFor({ timeout: 120_000 });
  assert.equal(await page.locator('.console img').count(), 0);
  assert.match(await page.title(), /^web · /);
  await page.getByRole('button', { name: 'Take the keyboard' }).click();
  await page.getByText('The keyboard is here').waitFor();
  await page.keyboard.type('hello');
  await page.locator('.console', { hasText: 'HELLO' }).waitFor();
  await page.keyboard.press('Control+Alt');
  await until('the button has the focus', async () => (await focused()) === 'Give the keyboard back');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Take the keyboard' }).waitFor();

  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  await page.getByRole('searchbox').fill('');
  process.kill(Number((await root.one('status', 'db'))['pid']), 'SIGKILL');
  await page.locator('tr[data-name=db] .state.bad', { hasText: 'dead' }).waitFor();
  await page.getByRole('link', { name: 'db', exact: true }).click();
  await page.getByText('QEMU ended without a stop').waitFor();
  assert.deepEqual(await barriersOf(page), []);
  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  await page.getByRole('button', { name: 'Attention 1' }).click();
  await page.locator('tr[data-name=web]').waitFor({ state: 'detached' });
  assert.equal(await page.locator('tr[data-name=db]').count(), 1);

  const narrow = await open(served.link, 360, 'dark');
  await narrow.page.locator('tr[data-name=web]').waitFor();
  const isTooWide = async (): Promise<unknown> =>
    narrow.page.evaluate('document.documentElement.scrollWidth > innerWidth');
  assert.equal(await isTooWide(), false);
  await narrow.page.locator('a.name', { hasText: 'web' }).click();
  await narrow.page.locator('.plot').first().waitFor();
  assert.equal(await isTooWide(), false);
  assert.deepEqual(await barriersOf(narrow.page), []);
  assert.deepEqual([...faults, ...narrow.faults], []);
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('stop', '--all', '--force');
});

test('a stop is asked for, shows its rungs as it climbs them, and names the one that ended the machine', async (t) => {
  const root = lab(t);
  root.add('deaf', 'STOPDELAY=8\n', { deaf: true });
  await root.ok('start', 'deaf');
  const served = await serve(root, '--allow-control');
  const { page, faults } = await open(served.link);
  await page.getByRole('link', { name: 'deaf', exact: true }).click();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByText('No events yet').waitFor();
  while ((await page.locator('.events strong', { hasText: 'RESUME' }).count()) === 0) {
    // It is not known when the page has connected.
    await root.ok('pause', 'deaf');
    await root.ok('resume', 'deaf');
    await sleep(200);
  }
  assert.deepEqual(await barriersOf(page), []);
  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  const stop = page.getByRole('button', { name: 'Stop deaf' });
  await stop.click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await root.state('deaf'), 'running');
  await stop.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  await page.locator('.ladder li.now', { hasText: 'power button' }).waitFor();
  await page.locator('tr[data-name=deaf]', { hasText: /Stopping: power button.* of 8 s/ }).waitFor();
  assert.deepEqual(await barriersOf(page), []);
  // What is looked at stays.
  await page.locator('.task').hover();
  await page.locator('.task.done', { hasText: 'deaf: stopped by quit' }).waitFor();
  assert.equal(await page.locator('.ladder li.end').textContent(), 'quit');
  assert.equal(await page.locator('.ladder li.over').textContent(), 'power button and guest agent');
  await page.locator('tr[data-name=deaf] .state', { hasText: 'stopped' }).waitFor();

  // What cannot be done is told, and stays until it is dismissed.
  root.write('etc/qemu/deaf-qemu.cfg', 'RAM=nonsense\n');
  await page.getByRole('button', { name: 'Start deaf' }).click();
  const failed = page.locator('.task.failed', { hasText: 'Cannot start machine' });
  await failed.waitFor();
  await failed.getByRole('button', { name: 'Dismiss' }).click();
  await failed.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  served.running.child.kill('SIGTERM');
  await served.running.result;
});

test('a list of 50 machines is filtered, and one of them that dies is shown so with one of the next looks', async (t) => {
  const root = lab(t);
  const names = Array.from({ length: 50 }, (_, at) => `m${String(at).padStart(2, '0')}`);
  for (const name of names) root.add(name);
  const started = names.slice(0, 12);
  await root.ok('start', ...started, '--parallel', '4');
  const served = await serve(root);
  const { page, faults } = await open(served.link);
  const rows = page.locator('tr[data-name]');
  await until('all are there', async () => (await rows.count()) === names.length);
  assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-name'))), names);
  await until('some run', async () => (await page.locator('tr[data-name] .state.good').count()) === started.length);
  await page.getByRole('searchbox').fill('m0');
  await until('ten are left', async () => (await rows.count()) === 10);
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: `Running ${started.length}` }).click();
  await until('the others are left out', async () => (await rows.count()) === started.length);
  await page.getByRole('button', { name: 'All 50' }).click();
  process.kill(Number((await root.one('status', 'm05'))['pid']), 'SIGKILL');
  await page.locator('tr[data-name=m05] .state.bad', { hasText: 'dead' }).waitFor();
  assert.equal(await rows.count(), names.length);
  assert.deepEqual(await barriersOf(page), []);
  assert.deepEqual(faults, []);
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('kill', '--all');
});

test('the pointer moves and its button is pressed in a guest that paints what its mouse does', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=unix\nVGA=std\nUSB=off\nDSK1=mouse.img\n');
  mouseDisk(join(root.etcDir, 'mouse.img'));
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=mouse', '--timeout', '120');
  const reading = await serve(root);
  const looking = await open(reading.link);
  const served = await serve(root, '--allow-control');
  const { page, faults } = await open(served.link);
  for (const each of [page, looking.page]) {
    await each.getByRole('link', { name: 'web', exact: true }).click();
    await each.getByRole('tab', { name: 'Screen' }).click();
    await each.getByText('Connected').waitFor();
  }
  const area = async (): Promise<number> =>
    page.locator('.screen canvas').evaluate((element) => {
      const { width, height } = element as unknown as { width: number; height: number };
      return width * height;
    });
  const share = async (): Promise<number> => (await litPoints(page)) / (await area());
  await until('the screen is black', async () => (await area()) < 640 * 480 && (await litPoints(page)) === 0, 60_000);
  const box = await page.locator('.screen canvas').boundingBox();
  assert.ok(box);
  const move = async (each: Page, at: number): Promise<void> =>
    each.mouse.move(box.x + box.width * at, box.y + box.height / 2);
  // A page that may only look changes nothing.
  await move(looking.page, 0.3);
  await looking.page.mouse.down();
  await move(looking.page, 0.6);
  await looking.page.mouse.up();
  await move(page, 0.3);
  assert.equal(await litPoints(page), 0, 'the first place is only where it comes from');
  await move(page, 0.4);
  await until('the lower half is red', async () => Math.abs((await share()) - 0.5) < 0.01, 60_000);
  await page.mouse.down();
  await until('all of it is lit', async () => (await share()) > 0.99, 60_000);
  await page.mouse.up();
  assert.deepEqual([...faults, ...looking.faults], []);
  for (const { running } of [served, reading]) {
    running.child.kill('SIGTERM');
    await running.result;
  }
  await root.ok('stop', 'web', '--force');
});

/** What `ssh -L` is: a port that leads to a socket. */
async function tunnel(t: TestContext, path: string): Promise<number> {
  const server = createServer((near) => {
    const far = connect(path);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a page goes on by itself after its server was killed and started again', async (t) => {
  const root = lab(t);
  const first = await serveSocket(root);
  const port = await tunnel(t, first.socketPath);
  const { page, faults } = await open(first.link.replace('8780', String(port)));
  await page.getByText('There are no machines yet').waitFor();
  await page.getByText('Read only').waitFor();
  assert.deepEqual(await barriersOf(page), []);
  first.running.child.kill('SIGKILL');
  await first.running.result;
  await page.locator('.link.lost').waitFor();
  root.add('web');
  const second = await serveSocket(root);
  await page.locator('.link.live').waitFor();
  await page.locator('tr[data-name=web] .state', { hasText: 'stopped' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Start web' }).count(), 0, 'it may only look');
  second.running.child.kill('SIGTERM');
  await second.running.result;
  const third = await serveSocket(root, '--new-link');
  await page.getByText('This link is no longer valid').waitFor();
  assert.deepEqual(faults, []);
  third.running.child.kill('SIGTERM');
  await third.running.result;
});
