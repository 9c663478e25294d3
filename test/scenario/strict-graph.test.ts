// Random histories of a tenant behind a Graph that is as strict, as late and as broken as Microsoft's documentation
// allows: after each step that has settled, what SCIM serves is the tenant in scope, exactly. A failure prints its seed:
// `GRAPH_SEED=7 GRAPH_STEPS=8 GRAPH_KIND=embedded` runs that one alone; `GRAPH_SEEDS=200` runs as many, `GRAPH_STEPS` sets their length.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type DatabaseKind, eachDatabase } from '../support/database.ts';
import { runHistory } from '../support/strict-graph/run-history.ts';

/** What differs between histories is Graph, not the database; and the embedded one takes twice as long. */
const SEEDS = { embedded: 1, postgres: 2 };
const FIRST = Number(process.env['GRAPH_FIRST'] ?? 1);
const STEPS = Number(process.env['GRAPH_STEPS'] ?? 8);
const ONLY = process.env['GRAPH_SEED'];
const KIND = process.env['GRAPH_KIND'];

eachDatabase('a tenant behind a strict Graph', (_open, kind: DatabaseKind) => {
  const seeds =
    ONLY === undefined
      ? Array.from({ length: Number(process.env['GRAPH_SEEDS'] ?? SEEDS[kind]) }, (_, index) => String(FIRST + index))
      : ONLY.split(',');
  for (const seed of KIND === undefined || KIND === kind ? seeds : [])
    it(`is served as it is after every settled step of history ${seed}`, async () => {
      const { settled, refused } = await runHistory({ seed, kind, steps: STEPS });
      assert.ok(settled > 1);
      assert.deepEqual(refused, [], 'Graph had to refuse requests as wrong');
    });
});
