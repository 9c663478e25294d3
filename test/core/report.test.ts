import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvCell, csvLine } from '#core/csv.ts';
import { isWorthTelling, reminderGapMs, renderHtml, renderText, reportHeld, reportRun } from '#core/report.ts';

const RUN = {
  id: 'run-1',
  provider: 'Microsoft 365',
  status: 'succeeded',
  preview: false,
  startedAt: new Date('2026-11-25T03:00:00Z'),
  finishedAt: new Date('2026-11-25T03:02:00Z'),
  counts: { created: 2, membershipsChanged: 1, skipped: 4 },
  error: null,
};
const PLAN = { id: 'plan-1', reasons: ['34 of 60 would go; the limit is 10 %.'], held: 34, expiresAt: null, number: 0 };
const BASE = 'https://sluice.example.com';

describe('a report', () => {
  it('is wanted or not', () => {
    const quiet = { status: 'succeeded', counts: { skipped: 3 } };
    const busy = { status: 'succeeded', counts: { deactivated: 1 } };
    const failed = { status: 'incomplete', counts: {} };
    const wanted = (on: 'always' | 'changes' | 'failure') =>
      [quiet, busy, failed].map((run) => isWorthTelling(on, run));
    assert.deepEqual(wanted('always'), [true, true, true]);
    assert.deepEqual(wanted('changes'), [false, true, true]);
    assert.deepEqual(wanted('failure'), [false, false, true]);
    assert.equal(isWorthTelling('changes', { status: 'cancelled', counts: {} }), false);
  });

  it('says in words what changed, what failed, and what to do', () => {
    const done = renderText(reportRun(RUN, BASE));
    assert.match(done, /2 created, 1 group\(s\) with other members/);
    assert.match(done, /Left as it was: 4 skipped/);
    const countsByType = {
      User: { created: 1, deactivated: 2 },
      Group: { created: 1, membershipsChanged: 1 },
      Other: {},
      Membership: { added: 3, removed: 0 },
    };
    const apart = renderText(reportRun({ ...RUN, countsByType }, BASE));
    assert.match(apart, /1 user and 1 group created, 2 users deactivated, 1 group\(s\) with other members/);
    assert.match(done, /https:\/\/sluice\.example\.com\/runs\/run-1/);
    const error = {
      failure: 'auth',
      code: 'secret-expired',
      message: 'The client secret has expired.',
      remedy: 'Make a new one.',
    } as const;
    const failed = reportRun({ ...RUN, status: 'failed', counts: {}, error }, BASE);
    assert.equal(failed.subject, 'Sluice: the sync of Microsoft 365 failed: The client secret has expired.');
    assert.match(renderText(failed), /What to do: Make a new one\./);
    assert.match(reportRun({ ...RUN, counts: {} }, BASE).subject, /nothing changed$/);
  });

  it('says of a held plan how much waits and why, that none of it was applied, and how to decide', () => {
    const report = reportHeld({ ...RUN, status: 'held', counts: { created: 2, held: 34 } }, PLAN, BASE);
    assert.equal(report.subject, 'Sluice: 34 changes wait for your decision (Microsoft 365)');
    const text = renderText(report);
    assert.match(text, /- 34 of 60 would go/);
    assert.match(text, /Applied: 2 created/);
    assert.match(text, /api\/v1\/plans\/plan-1\/approve/);
    assert.match(reportHeld(RUN, { ...PLAN, held: 1, number: 2 }, BASE).subject, /reminder 2: 1 change waits/);
  });

  it('lets nothing that a source says become markup or a second header', () => {
    const error = {
      failure: 'internal',
      code: 'x',
      message: '<script>alert(1)</script>\r\nBcc: eve@example.com',
      remedy: '"><img src=x onerror=y>',
    } as const;
    const report = reportRun({ ...RUN, provider: '<b>', status: 'failed', error }, `${BASE}/"onclick='x'`);
    assert.ok(!/[\r\n]/.test(report.subject) && report.subject.length <= 200);
    const html = renderHtml(report);
    assert.ok(!/<script|<img|<b>|"onclick/.test(html), html);
    const long = reportRun({ ...RUN, status: 'failed', error: { ...error, message: 'x'.repeat(5_000) } }, BASE);
    assert.equal(long.subject.length, 200);
  });

  it('reminds at gaps that double', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((notices) => reminderGapMs(24, notices) / 3_600_000),
      [24, 48, 96, 192],
    );
  });
});

describe('a cell of a list', () => {
  it('is never a formula, whoever chose the value', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\n=cmd()', '|calc', '%0A=1', '＝1'])
      assert.match(csvCell(text), /^"?'/, JSON.stringify(text));
    assert.equal(csvCell('plain = text'), 'plain = text');
    assert.equal(csvCell(-5), '-5');
  });

  it('is none for a reader either who parts cells by semicolon or tab, and sees no quotes', () => {
    const pieces = fc.constantFrom(
      ...['=', '+', '-', '@', '1+1', 'a', ';', '\t', '\r', '\n', ',', '"', "'", ' ', '|x'],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const line = csvLine(['1', parts.join(''), 'end']);
        for (const separator of [';', '\t'])
          for (const cell of line.split(new RegExp(`[${separator}\r\n]`)))
            assert.doesNotMatch(cell, /^[\s"]*[=+\-@|%]/, JSON.stringify(line));
      }),
    );
    assert.equal(csvLine(['a;=1+1', 'b; c', 'd"e']), '"a;\'=1+1","b; c","d""e"\r\n');
  });

  it('keeps quotes, commas and line breaks inside it', () => {
    assert.equal(csvLine(['a "b", c\nd', null, 3]), '"a ""b"", c\nd",,3\r\n');
  });
});
