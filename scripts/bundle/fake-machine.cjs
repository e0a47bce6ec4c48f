/**
 * Stands in for the QEMU of a machine while the tools are built, where there may be none: `node fake-machine.cjs TESTING
 * SOCKET -pidfile FILE`. It answers at the socket until it is asked to end.
 */
'use strict';
const { rmSync } = require('node:fs');

const [testing, path, , pidFile] = process.argv.slice(2);
const { FakeQmpServer } = require(testing);

let server;
const end = () => {
  rmSync(pidFile, { force: true });
  process.stdin.destroy();
  void server.close();
};
const commands = {
  'query-status': () => ({ status: 'running', singlestep: false, running: true }),
  'query-chardev': () => [{ 'frontend-open': true, filename: 'null', label: 'serial0' }],
  system_powerdown: ({ connection }) => {
    connection.sendEvent('POWERDOWN');
    setTimeout(end, 50);
    return {};
  },
};
FakeQmpServer.start({ listen: { path }, commands }).then((started) => {
  server = started;
  process.stdout.write('listening\n');
});
process.stdin.on('end', end).resume();
