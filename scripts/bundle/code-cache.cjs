/**
 * Runs the calls of a pack as they will be run: `node code-cache.cjs BIN SCRATCH STAMP trace PACK` prints the modules that they load, as
 * JSON; `node code-cache.cjs … cache PACK` writes the code cache of that pack, with what is compiled in its calls.
 *
 * The first line of a cache names the build of Node.js and of the tools, as loader.cjs expects it; it is filled up with blanks, since V8 copies
 * what does not begin at a multiple of eight bytes.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const vm = require('node:vm');
const { CALLS } = require('./calls.cjs');

const [bin, scratch, stamp, task, pack] = process.argv.slice(2);
const root = join(scratch, 'root');
const scripts = new Map();
globalThis.loadedModules = [];
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
  const warn = process.stderr.write.bind(process.stderr);
  process.stdout.write = (_text, done) => {
    done?.();
    return true;
  };
  process.stderr.write = process.stdout.write;
  const { before, beforeEach = [], calls } = CALLS[pack] ?? {};
  if (calls !== undefined) {
    try {
      makeMachines();
      for (const words of before) runTool(words);
      for (const words of calls) {
        for (const each of beforeEach) runTool(each);
        await callTool(words);
      }
    } catch (error) {
      // Such as on a host without a free port. What is prepared only makes the start faster.
      warn(`Calls of ${pack} are slower, because not all is prepared for them: ${error.message}
`);
    } finally {
      runTool(['qemu-init', 'kill', '--all']);
    }
  }
  if (task === 'trace') print(JSON.stringify(globalThis.loadedModules));
  else writeCache(`pack-${stamp}-${pack}`);
  process.exitCode = 0;
}

async function callTool([name, ...words]) {
  process.argv = [...process.argv.slice(0, 2), ...words];
  const code = await require(join(bin, `${name}.cjs`)).main([...words, '--root', root]);
  // 3: it does not run.
  if (code !== 0 && code !== 3) throw new Error(`"${[name, ...words].join(' ')}" ended with ${code}`);
}

/** In a process of its own. */
function runTool([name, ...words]) {
  const script =
    'globalThis.loadedModules = []; require(process.argv[1]).main(process.argv.slice(2)).then((code) => (process.exitCode = code))';
  execFileSync(process.execPath, ['-e', script, join(bin, `${name}.cjs`), ...words, '--root', root], {
    stdio: 'pipe',
    timeout: 30_000,
  });
}

function writeCache(name) {
  if (!scripts.has(name))
    scripts.set(name, new vm.Script(readFileSync(join(bin, `${name}.cjs`), 'latin1'), { filename: name }));
  const { size, mtimeMs } = statSync(process.execPath);
  const build = [process.version, process.arch, size, mtimeMs, stamp].join(' ');
  const line = `${build.padEnd(Math.ceil((build.length + 1) / 8) * 8 - 1)}\n`;
  const data = scripts.get(name).createCachedData();
  writeFileSync(join(bin, `${name}.cache`), Buffer.concat([Buffer.from(line, 'latin1'), data]));
}

/** The machine `a`, and `b`, which is not started. */
function makeMachines() {
  rmSync(root, { recursive: true, force: true });
  const etc = join(root, 'etc/qemu');
  mkdirSync(etc, { recursive: true });
  const qemu = join(scratch, 'qemu-system-x86_64');
  const words = [process.execPath, join(__dirname, 'fake-machine.cjs'), join(scratch, 'testing.cjs')];
  writeFileSync(qemu, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(etc, 'qemu-init.reg'), 'a=a\nb=b\n');
  for (const image of ['a', 'plugged']) writeFileSync(join(etc, `${image}.raw`), Buffer.alloc(1024 ** 2));
  const config = `TGTARCH=${qemu}\nRAM=32M\nKVM=off\nSANDBOX=on\nSTOPDELAY=5\n`;
  writeFileSync(join(etc, 'a-qemu.cfg'), `${config}DSK1=a.raw\nNIC1=virtio,net=user\n`);
  writeFileSync(join(etc, 'b-qemu.cfg'), config);
}
