import type { ConfigIssue } from '../errors.ts';
import { findControlCharacter } from './cfg-lines.ts';
import { type Hint, hintOf, quote, suggest } from './issues.ts';
import type { JsonMember, JsonNode } from './json-text.ts';
import { nearest } from './names.ts';

/** A value with the line that it stands on. */
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
  readonly #issues: ConfigIssue[];

  constructor(path: string, issues: ConfigIssue[]) {
    this.#path = path;
    this.#issues = issues;
  }

  report(
    line: number,
    message: string,
    { severity = 'error', hint }: { severity?: ConfigIssue['severity']; hint?: Hint } = {},
  ): void {
    this.#issues.push({ file: this.#path, line, message, severity, hint: hintOf(hint, this.#issues) });
  }

  object(node: JsonNode, label: string, known: readonly string[]): JsonObject | undefined {
    if (node.kind !== 'object') {
      this.report(node.line, `${label} is ${describe(node)}, not an object`);
      return undefined;
    }
    const members = new Map<string, JsonMember>();
    for (const member of node.members) {
      const first = members.get(member.name);
      if (first) {
        this.report(member.line, `${label} has ${quote(member.name)} twice, in lines ${first.line} and ${member.line}`);
      } else if (known.includes(member.name)) {
        members.set(member.name, member);
      } else {
        this.report(member.line, `${label} has the unknown member ${quote(member.name)}`, {
          severity: 'warning',
          hint: () => suggest(nearest(member.name, known)),
        });
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

  needed<T>(parent: JsonObject, name: string, found: Found<T> | undefined): Found<T> | undefined {
    if (!found && !this.has(parent, name)) this.report(parent.line, `${parent.label} has no "${name}"`);
    return found;
  }

  /** Whether a member is there, right or wrong; null and the empty text count as absent. */
  has(parent: JsonObject, name: string): boolean {
    const node = parent.members.get(name)?.value;
    return node !== undefined && node.kind !== 'null' && !(node.kind === 'string' && node.value === '');
  }

  /** A text; null and the empty text count as absent. */
  text(parent: JsonObject, name: string): Found<string> | undefined {
    const node = parent.members.get(name)?.value;
    if (!node || node.kind === 'null') return undefined;
    const label = `${parent.label}.${name}`;
    if (node.kind !== 'string') {
      this.report(node.line, `${label} is ${describe(node)}, not a text`);
      return undefined;
    }
    const control = findControlCharacter(node.value);
    if (control !== undefined) {
      this.report(node.line, `${label} has a control character (${control})`);
      return undefined;
    }
    return node.value === '' ? undefined : { line: node.line, value: node.value };
  }

  /** A whole number from 1. */
  count(parent: JsonObject, name: string): Found<number> | undefined {
    return this.#number(parent, name, (value) => Number.isSafeInteger(value) && value >= 1, 'a whole number from 1');
  }

  /** A number from 0. */
  size(parent: JsonObject, name: string): Found<number> | undefined {
    return this.#number(parent, name, (value) => Number.isFinite(value) && value >= 0, 'a number from 0');
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
