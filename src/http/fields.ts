// The fields of an answer's head, held until it is sent: written at once they cost half of what it takes to set each. Until
// they are released `getHeader` does not find them, and of an answer that was sent with them it never does; so what goes
// through Express, or may fail, releases them first.
import type { ServerResponse } from 'node:http';

const HELD = Symbol('held');
type Holding = ServerResponse & { [HELD]?: string[] | undefined };

/** Begins to hold: names and values in turn, with which the head begins. */
export function holdFields(response: ServerResponse, fields: string[]): void {
  (response as Holding)[HELD] = fields;
}

/** Adds a field that the answer does not have yet. */
export function setField(response: ServerResponse, name: string, value: string): void {
  const held = (response as Holding)[HELD];
  if (held === undefined) response.setHeader(name, value);
  else held.push(name, value);
}

/** From now on fields are set one by one. */
export function releaseFields(response: ServerResponse): void {
  const held = (response as Holding)[HELD] ?? [];
  (response as Holding)[HELD] = undefined;
  for (let at = 0; at < held.length; at += 2) response.setHeader(held[at] ?? '', held[at + 1] ?? '');
}

/** Ends the head with all that it has. */
export function writeHead(response: ServerResponse, status: number): void {
  response.writeHead(status, (response as Holding)[HELD]);
}
