import { hostname } from 'node:os';
import { QemuError } from '../../base/errors.ts';
import { asArray, asText } from '../../base/guards.ts';
import { oneLine } from '../../base/text.ts';
import type { MachineContext, MachineRef } from '../../machine/context.ts';
import { outgoingDisks, outgoingSocket } from '../../machine/move/move-out-work.ts';
import { removeIfExists } from '../../system/files/files.ts';
import { readWord } from '../../system/process/word-socket.ts';
import type { Arrival, Destination } from './destination.ts';
import { ownMoveFile } from './move-files.ts';
import type { MoveOffer } from './move-offer.ts';
import { RemoteEnd } from './remote-end.ts';
import type { SshPlace } from './ssh-place.ts';

/** For checks, which start programs there; and for a QEMU that touches all of its memory first. */
const PREPARE_MS = 300_000;
/** For each other answer. */
const ANSWER_MS = 60_000;
/** For a word through the connection. */
const WORD_MS = 10_000;

/** The machines of another host, as the place that a guest comes to. */
export class RemoteDestination implements Destination {
  readonly #place: SshPlace;
  readonly #host: MachineContext;
  readonly #source: MachineRef;
  #end: RemoteEnd | undefined;
  #isReleased = false;
  /** The source's name on this host, as a place for the way back. */
  readonly #from: string;

  constructor(place: SshPlace, host: MachineContext, source: MachineRef, from: string) {
    this.#place = place;
    this.#host = host;
    this.#source = source;
    this.#from = `ssh://${hostname()}${from.replace(/^root:\/?/, '/').replace(/^\/$/, '')}`;
  }

  get name(): string {
    return this.#place.name;
  }

  get reference(): { readonly place: string } {
    return { place: this.#place.name };
  }

  async #reach(signal: AbortSignal | undefined): Promise<RemoteEnd> {
    const { paths, notify } = this.#host;
    this.#end ??= await RemoteEnd.reach(this.#place, { paths, notify, signal });
    return this.#end;
  }

  async check(offer: MoveOffer, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const end = await this.#reach(signal);
    const isOpen = await this.#tryForwarding(end, signal);
    const { problems } = await end.ask({ do: 'check', offer: this.#there(offer) }, { timeoutMs: PREPARE_MS, signal });
    const closed = `sshd there does not forward unix sockets (AllowStreamLocalForwarding of sshd_config(5), "restrict" in authorized_keys)`;
    return [...(isOpen ? [] : [closed]), ...asArray(problems).map((each) => oneLine(asText(each)))];
  }

  async #tryForwarding(end: RemoteEnd, signal: AbortSignal | undefined): Promise<boolean> {
    const { socket, word } = await end.ask({ do: 'listen' }, { timeoutMs: ANSWER_MS, signal });
    const here = ownMoveFile(this.#host.paths, 'word');
    await end.forward(here, asText(socket), signal);
    try {
      return (await readWord(here, WORD_MS)) === word;
    } finally {
      removeIfExists(here);
    }
  }

  async receive<T>(offer: MoveOffer, body: (arrival: Arrival) => Promise<T>, signal: AbortSignal): Promise<T> {
    const end = await this.#reach(signal);
    try {
      return await body(await this.#prepare(end, offer, signal));
    } catch (error) {
      // Who sets this side right is going to tell the other end, which has to be done with this line by then.
      end.hangUp();
      throw error;
    }
  }

  async #prepare(end: RemoteEnd, offer: MoveOffer, signal: AbortSignal): Promise<Arrival> {
    const limits = { timeoutMs: ANSWER_MS, signal };
    const long = { timeoutMs: PREPARE_MS, signal };
    const { socket, disks } = await end.ask({ do: 'receive', offer: this.#there(offer) }, long);
    const here = outgoingSocket(this.#source.files);
    await end.forward(here, asText(socket), signal);
    const disksHere = disks === undefined ? undefined : outgoingDisks(this.#source.files);
    if (disksHere !== undefined) await end.forward(disksHere, asText(disks), signal);
    return {
      uri: `unix:${here}`,
      disks: disksHere,
      disksArrived: async () => {
        if (disksHere !== undefined) await end.ask({ do: 'disks' }, long);
      },
      switching: async () => void (await end.ask({ do: 'switching' }, limits)),
      arrived: async () => void (await end.ask({ do: 'arrived' }, limits)),
      // Nothing interrupts that: there is no way back.
      release: async () => {
        const { state } = await end.ask({ do: 'release' }, { timeoutMs: ANSWER_MS });
        this.#isReleased = true;
        return asText(state);
      },
    };
  }

  #there(offer: MoveOffer): MoveOffer {
    return { ...offer, from: this.#from, sourceRecord: undefined };
  }

  /** What is still done there with a machine that has arrived: its POSTCMD, its unit. Here nothing is left to be done. */
  async #finish(end: RemoteEnd): Promise<void> {
    try {
      await end.ask({ do: 'finish' }, { timeoutMs: PREPARE_MS });
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      const message = `the guest has arrived at ${this.name}, but: ${error.message}`;
      this.#host.notify({ level: 'warning', machine: this.#source.longName, message });
    }
  }

  async close(): Promise<void> {
    if (this.#end && this.#isReleased) await this.#finish(this.#end);
    await this.#end?.close();
    this.#end = undefined;
  }
}
