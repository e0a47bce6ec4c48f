/**
 * Makes the pictures of docs/watching.md: `node scripts/pictures.mjs`, after `npm run build`. They show the page of real
 * machines below a scratch root, as Debian's chromium draws it. One of them runs the Debian guest of the tests (as root;
 * it boots for two minutes without KVM, which gives its plots something to show).
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { writeGuestDisk } from './guest-disk.mjs';
import { root as checkout } from './run.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'qp-'));
const etc = join(scratch, 'etc/qemu');
const pictures = join(checkout, 'docs/pictures');
const env = { ...process.env, QEMU_INIT_ROOT: scratch };
const tool = join(checkout, 'bin/qemu-init');

const qemuInit = (...args) => execFileSync(tool, args, { env, encoding: 'utf8' });

const SMALL = 'RAM=64M\nKVM=off\nVNC=off\nVGA=none\nQGA=off\n';

function add(name, description, lines = SMALL, guest = {}) {
  if (!lines.includes('DSK1=')) writeGuestDisk(join(etc, `${name}.img`), guest);
  const disk = lines.includes('DSK1=') ? '' : `DSK1=${name}.img\n`;
  writeFileSync(join(etc, `${name}-qemu.cfg`), `DESC=${description}\n${lines}${disk}`);
  return `${name}=${name}\n`;
}

/** The guest of the tests, whose module is TypeScript. */
async function debianGuest() {
  const outfile = join(checkout, 'build/pictures/debian-guest.js');
  const entry = join(checkout, 'test/support/debian-guest.ts');
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  const module = await import(pathToFileURL(outfile).href);
  const { guest, obstacle } = module.debianGuest();
  if (obstacle !== undefined) throw new Error(obstacle);
  return guest;
}

async function makeMachines() {
  mkdirSync(etc, { recursive: true });
  mkdirSync(join(scratch, 'backup'));
  const { kernel, initrd, disk, append } = await debianGuest();
  copyFileSync(disk, join(etc, 'web.qcow2'));
  chmodSync(join(etc, 'web.qcow2'), 0o600);
  const boot = `KERNEL=${kernel}\nINITRD=${initrd}\nAPPEND=${append} console=tty0 loglevel=3\n`;
  const web = `RAM=512M\nKVM=off\nDSK1=web.qcow2\nVNC=unix\nVGA=std\nNIC1=virtio,net=user\nBACKUP=${join(scratch, 'backup')}\n${boot}`;
  const registry = [
    add('web', 'shop and its database', web),
    add('mail', 'Postfix and Dovecot'),
    add('git', 'Forgejo', `${SMALL}STOPDELAY=30\n`, { deaf: true }),
    add('build', 'runs the builds at night'),
    add('monitor', 'Prometheus and Grafana'),
    add('staging', 'the next release of the shop'),
    add('intranet', 'the old one, kept until March'),
  ];
  writeFileSync(join(etc, 'qemu-init.reg'), registry.join(''));
}

async function serve() {
  const child = spawn(tool, ['web', '--listen', '127.0.0.1:28780', '--allow-control'], { env });
  const link = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text) => resolve(text.trim()));
    child.once('exit', () => reject(new Error('The page is not served')));
  });
  return { child, link };
}

async function takePictures(browser, link) {
  const open = async (width, height, colorScheme) => {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.goto(link);
    await page.locator('tr[data-name=web]').waitFor();
    // The name of this host is for nobody else.
    await page.evaluate("document.querySelector('#host').textContent = 'atlas'");
    return page;
  };
  const shoot = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });
  const list = await open(1120, 560, 'light');
  const overview = await open(1280, 620, 'dark');
  await overview.getByRole('link', { name: 'web', exact: true }).click();
  const screen = await open(1120, 700, 'light');
  const phone = await open(390, 640, 'dark');
  qemuInit('wait', 'web', '--for', 'console=login:', '--timeout', '1500');
  await shoot(overview, 'overview');
  await screen.getByRole('link', { name: 'web', exact: true }).click();
  await screen.getByRole('tab', { name: 'Screen' }).click();
  await screen.waitForTimeout(5000);
  await shoot(screen, 'screen');
  await shoot(phone, 'phone');
  await list.getByRole('button', { name: 'Stop git' }).click();
  await list.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  await list.locator('.ladder li.now').waitFor();
  await list.mouse.move(5, 300);
  await list.waitForTimeout(3000);
  await shoot(list, 'machines');
}

await makeMachines();
let server;
let browser;
try {
  qemuInit('start', 'web', 'mail', 'git', 'build', 'monitor', 'staging');
  qemuInit('pause', 'staging');
  const [{ pid }] = JSON.parse(qemuInit('status', 'build', '--json'));
  process.kill(pid, 'SIGKILL');
  mkdirSync(pictures, { recursive: true });
  const { child, link } = await serve();
  server = child;
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  await takePictures(browser, link);
} finally {
  await browser?.close();
  server?.kill();
  qemuInit('stop', '--all', '--force');
  rmSync(scratch, { recursive: true, force: true });
}
