import { Duplex } from 'node:stream';

/**
 * Two ends of a connection inside one process; what is written to one is read from the other. With `chunkBytes` the far
 * end reads pieces of exactly that size, however it was written.
 */
export function makeStreamPair(chunkBytes = Infinity): [near: Duplex, far: Duplex] {
  const near: Duplex = makeEnd(() => far, chunkBytes);
  const far: Duplex = makeEnd(() => near, Infinity);
  return [near, far];
}

function makeEnd(other: () => Duplex, chunkBytes: number): Duplex {
  return new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      for (let at = 0; at < chunk.length; at += Math.min(chunkBytes, chunk.length)) {
        other().push(chunk.subarray(at, Math.min(at + chunkBytes, chunk.length)));
      }
      done();
    },
    final: (done) => {
      other().push(null);
      done();
    },
    destroy: (error, done) => {
      // The other side of a socket sees the end of the stream, not the error.
      if (!other().readableEnded) other().push(null);
      done(error);
    },
  });
}
