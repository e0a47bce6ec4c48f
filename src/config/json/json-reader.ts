import type { Problem } from '../../base/problem.ts';
import { nearest, quote } from '../../base/text.ts';
import { findControlCharacter } from '../text/cfg-lines.ts';
import { type Hint, hintOf, suggest } from '../text/issues.ts';
import type { JsonMember, JsonNode } from './json-text.ts';

/** A value and its line. */
export interface Found<T> {
  readonly line: number;
  readonly value: T;
}

/** A JSON object with the members that are known. */
export interface JsonObject {
  readonly label: string;
  readonly line: number;
  readonly members: ReadonlyMap<string, JsonMember>;
}

/** Takes typed members out of a JSON value and reports what is wrong with them. */
export class JsonReader {
  readonly #path: string;
  readonly #issues: Problem[];

  constructor(path: string, issues: Problem[]) {
    this.#path = path;
    this.#issues = issues;
  }

  report(
    line: number,
    message: string,
    { severity = 'error', hint }: { severity?: Problem['severity']; hint?: Hint } = {},
  ): void {
    this.#issues.push({ file: this.#path, line, message, severity, hint: hintOf(hint, this.#issues) });
  }

  warn(line: number, message: string, hint?: Hint): void {
    this.report(line, message, { severity: 'warning', hint });
  }

  object(node: JsonNode, label: string, known: readonly string[]): JsonObject | undefined {
    if (node.kind !== 'object') {
      this.report(node.line, `${label} is ${describe(node)}, not an object`);
      return undefined;
    }
    const members = new Map<string, JsonMember>();
    for (const member of node.members) {
      const name = this.#knownName(member, label, known);
      const first = members.get(name);
      if (first) {
        this.report(member.line, `${label} has ${quote(name)} twice, on lines ${first.line} and ${member.line}`);
      } else if (known.includes(name)) {
        members.set(name, member);
      } else {
        this.warn(member.line, `${label} has an unknown member ${quote(name)}`, () => suggest(nearest(name, known)));
      }
    }
    return { label, line: node.line, members };
  }

  /** A part of the machine that has to be there. */
  section(root: JsonObject, name: string, known: readonly string[]): JsonObject | undefined {
    const member = root.members.get(name);
    if (member) return this.object(member.value, name, known);
    this.report(root.line, `The machine has no "${name}"`);
    return undefined;
  }

  list(parent: JsonObject, name: string, known: readonly string[]): JsonObject[] {
    const node = parent.members.get(name)?.value;
    if (!node || node.kind === 'null') return [];
    const label = `${parent.label}.${name}`;
    if (node.kind !== 'array') {
      this.report(node.line, `${label} is ${describe(node)}, not a list`);
      return [];
    }
    return node.items.flatMap((item, position) => this.object(item, `${label}[${position}]`, known) ?? []);
  }

  /** A member that has to be there; when it is there and empty, a warning names what is used instead. */
  stated<T>(parent: JsonObject, name: string, found: Found<T> | undefined, instead: string): Found<T> | undefined {
    const member = parent.members.get(name);
    if (member && this.isEmpty(parent, name)) this.warn(member.line, `${parent.label}.${name} is empty`, instead);
    else if (!found && !this.has(parent, name)) this.report(parent.line, `${parent.label} has no "${name}"`);
    return found;
  }

  /** Whether a member is there, right or wrong; null and the empty text count as absent. */
  has(parent: JsonObject, name: string): boolean {
    const node = parent.members.get(name)?.value;
    return node !== undefined && node.kind !== 'null' && !(node.kind === 'string' && node.value === '');
  }

  /** Whether a member is there but has no value: the empty text, or 0. */
  isEmpty(parent: JsonObject, name: string): boolean {
    const node = parent.members.get(name)?.value;
    return (node?.kind === 'string' && node.value === '') || (node?.kind === 'number' && node.value === 0);
  }

  /** A text; null and the empty text count as absent. */
  text(parent: JsonObject, name: string): Found<string> | undefined {
    const node = parent.members.get(name)?.value;
    if (!node || node.kind === 'null') return undefined;
    const label = `${parent.label}.${name}`;
    if (node.kind !== 'string') {
      this.report(node.line, `${label} is ${describe(node)}, not a string`);
      return undefined;
    }
    const control = findControlCharacter(node.value);
    if (control !== undefined) {
      this.report(node.line, `${label} has a control character (${control})`);
      return undefined;
    }
    return node.value === '' ? undefined : { line: node.line, value: node.value };
  }

  /** A whole number from 1; 0 counts as absent. */
  count(parent: JsonObject, name: string): Found<number> | undefined {
    if (this.isEmpty(parent, name) && parent.members.get(name)?.value.kind === 'number') return undefined;
    return this.#number(parent, name, (value) => Number.isSafeInteger(value) && value >= 1, 'a whole number from 1');
  }

  /** A number from 0. */
  size(parent: JsonObject, name: string): Found<number> | undefined {
    return this.#number(parent, name, (value) => Number.isFinite(value) && value >= 0, 'a number from 0');
  }

  /** Case does not count, as in the programs that read this form (encoding/json of Go). */
  #knownName({ name, line }: JsonMember, label: string, known: readonly string[]): string {
    if (known.includes(name)) return name;
    const meant = known.find((each) => each.toLowerCase() === name.toLowerCase());
    if (meant === undefined) return name;
    this.warn(line, `${label} has ${quote(name)}, which is read as ${quote(meant)}`);
    return meant;
  }

  #number(
    parent: JsonObject,
    name: string,
    isAllowed: (value: number) => boolean,
    allowed: string,
  ): Found<number> | undefined {
    const node = parent.members.get(name)?.value;
    if (!node || node.kind === 'null') return undefined;
    if (node.kind === 'number' && isAllowed(node.value)) return { line: node.line, value: node.value };
    this.report(node.line, `${parent.label}.${name} is ${describe(node)}, not ${allowed}`);
    return undefined;
  }
}

function describe(node: JsonNode): string {
  switch (node.kind) {
    case 'string':
      return quote(node.value);
    case 'number':
    case 'boolean':
      return String(node.value);
    case 'null':
      return 'null';
    case 'array':
      return 'a list';
    case 'object':
      return 'an object';
    default:
      return node satisfies never;
  }
}
