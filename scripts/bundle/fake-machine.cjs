/**
 * Stands in for QEMU while the tools are built, where there may be none: `node fake-machine.cjs TESTING ARGUMENT…`, with the arguments of
 * QEMU. It makes nothing of a machine but its sockets, answers what it is asked, and ends when it is asked to.
 */
'use strict';
const { openSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { createInterface } = require('node:readline');

const [testing, ...args] = process.argv.slice(2);

if (args.includes('stdio')) answerProbe();
else void run();

/** What it can do, see src/system/probe/qemu-probe-dialogue.ts. */
function answerProbe() {
  const names = (text) => text.split(' ').map((name) => ({ name }));
  const types = {
    device:
      'VGA virtio-serial-pci virtserialport virtio-rng-pci virtio-balloon-pci virtio-blk-pci virtio-net-pci pcie-root-port virtio-scsi-pci scsi-hd',
    'user-creatable': 'tls-creds-psk rng-random iothread memory-backend-ram',
    accel: 'tcg-accel kvm-accel',
    cpu: 'max-x86_64-cpu',
  };
  const answers = {
    qmp_capabilities: () => ({}),
    'query-version': () => ({ qemu: { major: 7, minor: 2, micro: 22 }, package: '' }),
    'query-machines': () => [{ name: 'pc-q35-7.2', alias: 'q35', 'cpu-max': 288, 'is-default': true }],
    'qom-list-types': (given) => names(types[given.implements]),
    'query-cpu-definitions': () => names('max qemu64'),
    'human-monitor-command': () => 'Network devices:\r\nname "virtio-net-pci", bus PCI, alias "virtio-net"\r\n',
    'query-commands': () => names('query-status device_add blockdev-add query-jobs query-pci'),
    'query-migrate-capabilities': () => [{ state: false, capability: 'events' }],
    quit: () => ({}),
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { execute, arguments: given, id } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify({ return: answers[execute](given), id })}\n`);
  });
}

async function run() {
  const pidFile = args[args.indexOf('-pidfile') + 1];
  let server;
  const end = () => {
    rmSync(pidFile, { force: true });
    clearTimeout(timer);
    void server.close();
  };
  // In case the build is killed meanwhile.
  const timer = setTimeout(end, 60_000);
  const devices = args.flatMap((arg, index) => {
    const [, driver, id] = /^([\w-]+),(?:.*,)?id=([\w-]+)/.exec(args[index - 1] === '-device' ? arg : '') ?? [];
    return id === undefined ? [] : [{ name: id, type: `child<${driver}>` }];
  });
  const commands = {
    'query-status': () => ({ status: 'running', singlestep: false, running: true }),
    'query-chardev': () => ['serial0', 'agent0'].map((label) => ({ 'frontend-open': false, filename: 'null', label })),
    'query-pci': () => [],
    'query-block': () => [{ device: 'dsk1', inserted: { 'node-name': 'dsk1-fmt', drv: 'raw', 'dirty-bitmaps': [] } }],
    'query-named-block-nodes': () => [],
    'x-debug-query-block-graph': () => ({ nodes: [], edges: [] }),
    'query-hotpluggable-cpus': () => [],
    'human-monitor-command': () => '',
    'qom-list': ({ args: { path } }) => (path === '/machine/peripheral' ? devices : []),
    'qom-set': () => ({}),
    'blockdev-add': () => ({}),
    device_add: ({ args: { id, driver } }) => {
      devices.push({ name: id, type: `child<${driver}>` });
      return {};
    },
    system_powerdown: ({ connection }) => {
      connection.sendEvent('POWERDOWN');
      setTimeout(end, 50);
      return {};
    },
  };
  for (const arg of args) {
    const log = /,logfile=([^,]+)/.exec(arg)?.[1];
    if (log !== undefined) openSync(log, 'a');
    const [, id, path] = /^socket,id=(\w+),path=([^,]+)/.exec(arg) ?? [];
    if (path !== undefined && id !== 'qmp')
      createServer((socket) => socket.unref())
        .listen(path)
        .unref();
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  const path = args.map((arg) => /^socket,id=qmp,path=([^,]+)/.exec(arg)?.[1]).find(Boolean);
  server = await require(testing).FakeQmpServer.start({ listen: { path }, commands });
}
