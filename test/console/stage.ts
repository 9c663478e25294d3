// What every test in a browser stands on: a gateway on a database of its own, a window on it, and what goes wrong there.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import type { GraphServer } from '#demo/graph-server.ts';
import type { Tenant } from '#demo/tenant.ts';
import { violations } from '../support/axe.ts';
import { type ConsolePage, type Look, openBrowser, openConsole, signIn } from '../support/browser.ts';
import { freshStorage, startGateway, startTenant, type TestGateway } from '../support/gateway.ts';

/** Cumulative Layout Shift of a page while it comes, of the design's bars. */
const SHIFT_MAX = 0.02;
const VISITS_MAX = 3;

/** Filled before the first test of the suite, and taken down after its last. */
export interface Stage extends ConsolePage {
  readonly api: TestGateway;
  readonly graph: GraphServer;
  /** One more window on the same gateway. */
  openAnother(look?: Look): Promise<ConsolePage>;
  /** Fails where axe finds the page wrong as it is. */
  accessible(where?: string): Promise<void>;
  /**
   * Opens each page in a window of this look: none may keep somebody out, move while it comes, scroll sideways, or do what
   * its policy refuses.
   * @param shown a page is whole once it has this
   */
  walkThrough(look: Look, paths: readonly string[], shown: string): Promise<void>;
}

export interface Setting {
  /** Served by a stand-in for Microsoft; without one there is no `graph`. */
  readonly tenant?: Tenant;
  /** Variables of the gateway, beside its storage. */
  readonly variables?: Readonly<Record<string, string>>;
  /** False where the suite signs in by itself. */
  readonly signedIn?: boolean;
}

export function setStage({ tenant, variables = {}, signedIn = true }: Setting): Stage {
  const stage = {} as { -readonly [K in keyof Stage]: Stage[K] };
  let browser: Browser | undefined;

  before(async () => {
    if (tenant !== undefined) stage.graph = await startTenant(tenant);
    stage.api = await startGateway({ ...(await freshStorage('embedded')), ...variables });
    const opened = await openBrowser();
    browser = opened;
    stage.openAnother = (look) => openConsole(opened, stage.api, look);
    stage.accessible = async (where) => assert.deepEqual(await violations(stage), [], where);
    stage.walkThrough = async (look, paths, shown) => {
      const window = await stage.openAnother(look);
      const { page, problems, context } = window;
      await signIn(page);
      await page.addInitScript(countShifts);
      for (const path of paths) {
        let shifts: Shifts = { moved: Number.POSITIVE_INFINITY, most: '' };
        // On a busy machine an answer may come late once; what moves on each visit is a fault of the page.
        for (let visit = 0; visit < VISITS_MAX && shifts.moved > SHIFT_MAX; visit += 1) {
          await page.goto(path);
          const whole = page.locator(shown).first();
          await whole.waitFor().catch(() => assert.fail(`${path} shows nothing`));
          assert.deepEqual(await violations(window), [], path);
          shifts = await page.evaluate(() => Reflect.get(globalThis, 'shifts') as Shifts);
        }
        assert.ok(shifts.moved <= SHIFT_MAX, `${path} moves by ${shifts.moved}, most of all ${shifts.most}`);
        const sideways = await page.locator(':root').evaluate((root) => root.scrollWidth - root.clientWidth);
        assert.equal(sideways, 0, `${path} scrolls sideways`);
      }
      assert.deepEqual(problems, []);
      await context.close();
    };
    Object.assign(stage, await stage.openAnother());
    if (signedIn) await signIn(stage.page);
  });
  after(async () => {
    await browser?.close();
    await stage.api?.close();
    await stage.graph?.close();
  });
  return stage;
}

interface Shifts {
  moved: number;
  most: string;
}

/** Runs in the page: what moves without anybody having touched anything. */
function countShifts(): void {
  const shifts: Shifts = { moved: 0, most: '' };
  Reflect.set(globalThis, 'shifts', shifts);
  let largest = 0;
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries() as unknown as Shift[]) {
      shifts.moved += value;
      if (value <= largest) continue;
      largest = value;
      shifts.most = sources.map(({ node }) => node?.textContent.slice(0, 80)).join(' | ');
    }
  }).observe({ type: 'layout-shift' as 'mark', buffered: true });
}

interface Shift {
  readonly value: number;
  readonly sources: readonly { readonly node: { readonly textContent: string } | null }[];
}
