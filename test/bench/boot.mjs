/**
 * Machines that a host's own systemd starts while it boots and stops, against the same QEMUs from a shell loop on that host, and
 * against one command that starts and stops them without units.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { systemObstacle } from '../../scripts/tiers.mjs';

const checkout = join(import.meta.dirname, '../..');

/** Milliseconds of both, or why they cannot be had. */
export async function timeBoot(count) {
  const obstacle = systemObstacle();
  if (obstacle !== undefined) return obstacle;
  const { addMachine, container, installProject } = await harness();
  const ends = [];
  try {
    const host = container({ after: (end) => ends.push(end) });
    await host.boot();
    installProject(host);
    const names = Array.from({ length: count }, (_, index) => `m${index}`);
    for (const name of names) addMachine(host, name, 'AUTOSTART=on\nNETIF=managed\nRUNAS=qemu\nSANDBOX=on\n');
    await host.powerOff();
    await host.boot();
    const boot = bootTime(host, names);
    const stop = stopTime(host, READY, 'systemctl stop qemu.target');
    const direct = directTimes(host);
    host.sh(`systemctl start ${names.map((name) => `qemu@${name}`).join(' ')}`);
    return { boot, stop, direct, loop: loopTime(host, names) };
  } finally {
    for (const end of ends) await end();
  }
}

/** The tests' own container, which is TypeScript. */
async function harness() {
  const outdir = join(checkout, 'build/bench');
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: checkout,
    stdin: {
      contents: `export * from './test/support/nspawn.ts'; export { addMachine } from './test/system/machines.ts';`,
      resolveDir: checkout,
    },
    outfile: join(outdir, 'container.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  return import(join(outdir, 'container.mjs'));
}

/** From the moment when the first unit begins until the last machine answers. */
function bootTime(host, names) {
  const units = names.map((name) => `qemu@${name}.service`).join(' ');
  const times = (property) => {
    const shown = host.sh(`systemctl show --value --property ${property} ${units}`).split('\n').filter(Boolean);
    if (shown.length !== names.length || shown.includes('0')) throw new Error(`Not all machines are up: ${shown}`);
    return shown.map(Number);
  };
  const began = times('InactiveExitTimestampMonotonic');
  const up = times('ActiveEnterTimestampMonotonic');
  return (Math.max(...up) - Math.min(...began)) / 1000;
}

const READY = 'qemu-init wait --all --for console=ready --timeout 60 >/dev/null';

/** Milliseconds of a command that stops machines whose guests are up. */
function stopTime(host, ready, command) {
  host.sh(ready);
  return timeOf(host, command);
}

/** The same machines below another root, which units know nothing of. */
function directTimes(host) {
  host.sh('mkdir -p /srv/direct/etc; cp -a /etc/qemu /srv/direct/etc/');
  const init = (action) => `qemu-init ${action} --all --root /srv/direct >/dev/null 2>&1`;
  const start = timeOf(host, init('start'));
  const stop = stopTime(host, init('wait --for console=ready --timeout 60'), init('stop'));
  return { start, stop };
}

function timeOf(host, command) {
  const began = performance.now();
  host.sh(command);
  return performance.now() - began;
}

/** The same command lines, all in the background; a QEMU is up when it has written its pid file. */
function loopTime(host, names) {
  host.write('/root/answers.cjs', ANSWERS);
  host.sh(SAVE, ...names);
  const seconds = host.sh(LOOP, ...names);
  host.sh('pkill -x qemu-system-x86; exit 0');
  return Number(seconds) * 1000;
}

const SAVE = `
mkdir /root/saved
for name; do
  mkdir /root/saved/$name
  tr '\\0' '\\n' <"/proc/$(cat /run/qemu-init/$name/qemu/pid)/cmdline" >/root/saved/$name/command
  cp -a /run/qemu-init/$name/tls /root/saved/$name/
done
systemctl stop qemu.target
qemu-init stop --all --force >/dev/null
for name; do
  install -d -o root -g qemu -m 0710 /run/qemu-init/$name
  install -d -o qemu -g qemu -m 0700 /run/qemu-init/$name/qemu
  cp -a /root/saved/$name/tls /run/qemu-init/$name/
done
`;

/** Ends when every QEMU has answered a command. */
const ANSWERS = `
const { connect } = require('node:net');
for (const name of process.argv.slice(2)) {
  const knock = () => {
    const socket = connect('/run/qemu-init/' + name + '/qemu/qmp.sock');
    socket.on('error', () => setTimeout(knock, 10));
    socket.on('connect', () => socket.write('{"execute":"qmp_capabilities"}{"execute":"query-status"}'));
    socket.on('data', (data) => String(data).includes('"running"') && socket.end());
  };
  knock();
}
`;

const LOOP = `
began=$(cut -d ' ' -f 1 /proc/uptime)
for name; do
  set --
  while IFS= read -r word; do set -- "$@" "$word"; done </root/saved/$name/command
  setpriv --reuid=qemu --regid=qemu --init-groups --inh-caps=-all --bounding-set=-all -- "$@" >/dev/null 2>&1 &
done
node /root/answers.cjs $(ls /root/saved)
ended=$(cut -d ' ' -f 1 /proc/uptime)
echo "$began $ended" | awk '{ print $2 - $1 }'
`;
