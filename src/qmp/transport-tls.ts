import { Duplex } from 'node:stream';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { PskKey } from './address.ts';

/** Starts a TLS connection that both sides prove by a pre-shared key, as QEMU's `tls-creds-psk` wants it. */
export async function connectTls(host: string, port: number, psk: PskKey): Promise<TLSSocket> {
  // Loading it takes 5 ms, which a command over a unix socket must not pay.
  const { connect } = await import('node:tls');
  const socket = connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    // The suites of TLS 1.3, and for 1.2 nothing but PSK.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:PSK',
    pskCallback: () => ({ identity: psk.identity, psk: psk.key }),
    checkServerIdentity: refuseCertificate,
  });
  return socket.setNoDelay(true);
}

/**
 * The same stream, but the last byte of each write goes out as a separate TLS record.
 *
 * A monitor of QEMU 7.2 reads one byte and then waits until its socket is readable; bytes that GnuTLS has decrypted
 * already do not wake it. With one more record after them the socket stays readable until they are all read. Without
 * it a command sent as one record is answered when the next one comes, which may be never.
 */
export function splitLastByte(socket: TLSSocket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    // No `writev`: it would join the byte with the next write.
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length === 1) socket.write(chunk, done);
      else socket.write(chunk.subarray(0, -1), () => socket.write(chunk.subarray(-1), done));
    },
    final: (done) => socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  socket.on('close', () => stream.destroy());
  return stream;
}

/** A peer that shows a certificate has not shown that it knows the key. */
function refuseCertificate(_host: string, certificate: PeerCertificate): Error | undefined {
  if (Object.keys(certificate).length === 0) return undefined;
  return new Error('Peer answered with a certificate instead of the pre-shared key');
}
