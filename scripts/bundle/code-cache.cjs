/**
 * Runs the calls of some packs as they will be run: `node code-cache.cjs BIN SCRATCH STAMP trace PACK…` prints the chunks that
 * each loads in addition, as JSON; `node code-cache.cjs … cache PACK` writes the code cache of that pack, with what
 * is compiled in its calls.
 *
 * The first line of a cache names the build of Node.js and of the tools, as loader.cjs expects it; it is filled up with blanks, since V8 copies
 * what does not begin at a multiple of eight bytes.
 */
'use strict';
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const vm = require('node:vm');

const [bin, scratch, stamp, task, ...packs] = process.argv.slice(2);
const root = join(scratch, 'root');
const CALLS = {
  main: [['qemu-init', 'status', 'a']],
  stop: [['qemu-init', 'stop', 'a']],
  // It fails before anything is started.
  start: [['qemu-init', 'start', 'b']],
  cmd: [
    ['qemu-cmd', '-c', 'info status', 'a'],
    ['qemu-cmd', '-q', 'query-status', 'a'],
  ],
  mon: [['qemu-mon', 'a']],
  rest: [
    ['qemu-init', 'list'],
    ['qemu-init', 'check', 'a'],
  ],
};

const scripts = new Map();
globalThis.chunksLoaded = [];
vm.Script = class extends vm.Script {
  constructor(code, { filename }) {
    // The name that stack traces show comes with the cache: the folder of the build would be wrong everywhere else.
    super(code, { filename: basename(filename) });
    scripts.set(basename(filename, '.cjs'), this);
  }
};
void main();

async function main() {
  const print = process.stdout.write.bind(process.stdout);
  process.stdout.write = (_text, done) => {
    done?.();
    return true;
  };
  process.stderr.write = process.stdout.write;
  const result = {};
  for (const pack of packs) {
    globalThis.chunksLoaded = [];
    const machine = await startMachine();
    for (const [tool, ...words] of CALLS[pack])
      await require(join(bin, `${tool}.cjs`)).main([...words, '--root', root]);
    machine.stdin.end();
    if (machine.exitCode === null) await once(machine, 'exit');
    result[pack] = globalThis.chunksLoaded;
  }
  if (task === 'trace') print(JSON.stringify(result));
  else for (const pack of packs) writeCache(`pack-${stamp}-${pack}`);
  process.exitCode = 0;
}

function writeCache(name) {
  const { size, mtimeMs } = statSync(process.execPath);
  const build = [process.version, process.arch, size, mtimeMs, stamp].join(' ');
  const line = `${build.padEnd(Math.ceil((build.length + 1) / 8) * 8 - 1)}\n`;
  const data = scripts.get(name).createCachedData();
  writeFileSync(join(bin, `${name}.cache`), Buffer.concat([Buffer.from(line, 'latin1'), data]));
}

/** The machine `a`, which runs, and `b`, which cannot be started. */
async function startMachine() {
  rmSync(root, { recursive: true, force: true });
  const etc = join(root, 'etc/qemu');
  const run = join(root, 'run/qemu-init/a');
  mkdirSync(etc, { recursive: true });
  mkdirSync(join(run, 'qemu'), { recursive: true, mode: 0o700 });
  writeFileSync(join(etc, 'qemu-init.reg'), 'a=a\nb=b\n');
  writeFileSync(join(etc, 'a-qemu.cfg'), 'RAM=32M\nKVM=off\nSTOPDELAY=5\n');
  writeFileSync(join(etc, 'b-qemu.cfg'), 'RAM=32M\nDSK1=none.img\nNIC1=virtio,net=user\n');
  const pidFile = join(run, 'qemu/pid');
  const words = [
    join(__dirname, 'fake-machine.cjs'),
    join(scratch, 'testing.cjs'),
    join(run, 'qemu/qmp.sock'),
    '-pidfile',
    pidFile,
  ];
  const machine = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(machine.stdout, 'data');
  writeFileSync(pidFile, `${machine.pid}\n`);
  writeFileSync(join(run, 'machine.json'), JSON.stringify(recordOf(machine.pid, join(etc, 'a-qemu.cfg'))), {
    mode: 0o600,
  });
  return machine;
}

function recordOf(pid, configPath) {
  return {
    phase: 'running',
    name: 'a',
    configPath,
    pid,
    // proc_pid_stat(5): the 22nd field; a name in parentheses is the second.
    pidStartTime: readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[19],
    bootId: bootId(),
    helpers: [],
    uid: process.getuid(),
    slot: 0,
    monitorPort: 30320,
    controlPort: 30420,
    tls: false,
    vnc: { host: '127.0.0.1', display: 0, port: 5900 },
    startedAt: new Date().toISOString(),
    preconfig: false,
    consoleLog: { bytes: 0 },
  };
}

/** As src/system/process/process.ts has it, for a build in a container. */
function bootId() {
  const { ino } = statSync('/proc/self/ns/pid');
  return ino === 0xeffffffc ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : ino.toString(16);
}
