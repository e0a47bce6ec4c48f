/** Lengths of the messages of a viewer by their type (RFC 6143, 7.5; the extensions of its section 8 and of QEMU). */
const FIXED: Readonly<Record<number, number>> = { 0: 20, 3: 10, 4: 8, 5: 6, 150: 10 };

/** Messages that act on the guest: keys, pointer, clipboard, size of the screen, and what QEMU adds to them. */
const ACTING = new Set([4, 5, 6, 251, 255]);

/** Longest message that is waited for. */
const MOST_BYTES = 1024 * 1024;

/** What the viewer sends is not RFB 3.8. */
export class RfbError extends Error {
  override readonly name = 'RfbError';
}

type Phase = 'version' | 'security' | 'response' | 'init' | 'messages';

/**
 * Takes from what a viewer sends all that acts on the guest, so that a viewer that may only look cannot do more, whatever
 * its page does. What it does not know ends the connection.
 */
export class RfbFilter {
  #phase: Phase = 'version';
  #rest: Buffer = Buffer.alloc(0);

  /** The bytes that may go on to QEMU. @throws {RfbError} */
  pass(bytes: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#rest.length > MOST_BYTES) throw new RfbError('a message is too long');
    const passed: Buffer[] = [];
    for (;;) {
      const length = this.#nextLength();
      if (length === undefined || this.#rest.length < length) return Buffer.concat(passed);
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      if (this.#phase !== 'messages' || !ACTING.has(message[0] ?? 0)) passed.push(message);
      this.#advance(message);
    }
  }

  /** Undefined when too little has come to know. */
  #nextLength(): number | undefined {
    switch (this.#phase) {
      case 'version':
        return 12;
      case 'security':
      case 'init':
        return 1;
      case 'response':
        return 16;
      case 'messages':
        return messageLength(this.#rest);
    }
  }

  #advance(message: Buffer): void {
    switch (this.#phase) {
      case 'version':
        if (message.toString('latin1') !== 'RFB 003.008\n') throw new RfbError('only RFB 3.8 is passed on');
        this.#phase = 'security';
        break;
      case 'security':
        // 1: none; 2: VNC authentication. Others cannot be followed.
        if (message[0] !== 1 && message[0] !== 2) throw new RfbError('this kind of security is not passed on');
        this.#phase = message[0] === 2 ? 'response' : 'init';
        break;
      case 'response':
        this.#phase = 'init';
        break;
      case 'init':
        this.#phase = 'messages';
        break;
      case 'messages':
        break;
    }
  }
}

/** @throws {RfbError} for a type that is not known. */
function messageLength(bytes: Buffer): number | undefined {
  const type = bytes[0];
  if (type === undefined) return undefined;
  const fixed = FIXED[type];
  if (fixed !== undefined) return fixed;
  switch (type) {
    case 2:
      return bytes.length < 4 ? undefined : 4 + 4 * bytes.readUInt16BE(2);
    case 6:
      // A negative length marks the extended clipboard.
      return bytes.length < 8 ? undefined : 8 + Math.abs(bytes.readInt32BE(4));
    case 248:
      return bytes.length < 9 ? undefined : 9 + bytes.readUInt8(8);
    case 251:
      return bytes.length < 8 ? undefined : 8 + 16 * bytes.readUInt8(6);
    case 255:
      return qemuLength(bytes);
    default:
      throw new RfbError(`a message of type ${type} is not passed on`);
  }
}

/** QEMU's extended key, and its audio. */
function qemuLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  if (bytes[1] === 0) return 12;
  if (bytes[1] === 1) return bytes.readUInt16BE(2) === 2 ? 10 : 4;
  throw new RfbError('a message of QEMU that is not known is not passed on');
}
