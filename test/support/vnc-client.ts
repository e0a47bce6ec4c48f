import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A picture: red, green and blue of each point. */
export interface VncPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** Asks a VNC server on a unix socket, without a password, for its whole screen (RFC 6143, raw encoding). */
export async function vncPicture(path: string): Promise<VncPicture> {
  const socket = connect(path);
  await once(socket, 'connect');
  const read = reader(socket);
  try {
    await read(12);
    socket.write('RFB 003.008\n');
    await read(((await read(1))[0] ?? 0) | 0);
    socket.write(Buffer.from([1]));
    await read(4);
    socket.write(Buffer.from([1]));
    const init = await read(24);
    await read(init.readUInt32BE(20));
    const [width, height] = [init.readUInt16BE(0), init.readUInt16BE(2)];
    // 32 bits for each point: blue, green, red, nothing.
    socket.write(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]));
    socket.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]));
    const request = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    request.writeUInt16BE(width, 6);
    request.writeUInt16BE(height, 8);
    socket.write(request);
    return { width, height, rgb: await readScreen(read, width, height) };
  } finally {
    socket.destroy();
  }
}

type Read = (bytes: number) => Promise<Buffer>;

async function readScreen(read: Read, width: number, height: number): Promise<Buffer> {
  const rgb = Buffer.alloc(3 * width * height);
  for (let missing = width * height; missing > 0; ) {
    const head = await read(4);
    if (head[0] !== 0) throw new Error(`message ${head[0]} instead of a picture`);
    for (let count = head.readUInt16BE(2); count > 0; count -= 1) {
      const rect = await read(12);
      const [x = 0, y = 0, w = 0, h = 0] = [0, 2, 4, 6].map((at) => rect.readUInt16BE(at));
      const points = await read(4 * w * h);
      for (let at = 0; at < w * h; at += 1) {
        const to = 3 * ((y + Math.floor(at / w)) * width + x + (at % w));
        rgb.set([points[4 * at + 2] ?? 0, points[4 * at + 1] ?? 0, points[4 * at] ?? 0], to);
      }
      missing -= w * h;
    }
  }
  return rgb;
}

/** Collects what comes, and gives it in pieces. */
function reader(socket: Socket): Read {
  let waiting = Buffer.alloc(0);
  let wake = (): void => {};
  socket.on('data', (data: Buffer) => {
    waiting = Buffer.concat([waiting, data]);
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => wake());
  socket.setTimeout(20_000, () => socket.destroy(new Error('the VNC server is silent')));
  return async (bytes) => {
    while (waiting.length < bytes) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (socket.destroyed) throw new Error('the VNC server has hung up');
    }
    const piece = waiting.subarray(0, bytes);
    waiting = waiting.subarray(bytes);
    return piece;
  };
}
