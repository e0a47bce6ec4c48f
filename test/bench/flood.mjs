/** A QMP server that sends events after each `query-name`: `node flood.mjs SOCKET COUNT`. */
import { createServer } from 'node:net';

const [path, count] = process.argv.slice(2);
const PARTS = 500;
const EVENT = `${JSON.stringify({
  timestamp: { seconds: 1_700_000_000, microseconds: 123_456 },
  event: 'BLOCK_JOB_READY',
  data: { device: 'drive0', len: 1_073_741_824, offset: 1_073_741_824, speed: 0, type: 'mirror' },
})}\r\n`;

const server = createServer((socket) => {
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (data) => {
    text += data;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      answer(socket, JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
  });
  socket.write(
    '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}\r\n',
  );
});
server.listen(path, () => process.send('listening'));

function answer(socket, { execute, id }) {
  socket.write(`${JSON.stringify({ return: {}, id })}\r\n`);
  if (execute === 'query-name') flood(socket, Number(count) / PARTS);
}

function flood(socket, parts) {
  for (let left = parts; left > 0; left--) {
    if (socket.write(EVENT.repeat(PARTS))) continue;
    socket.once('drain', () => flood(socket, left - 1));
    return;
  }
}
