// A real Chromium in front of a real gateway. Without one, tests that need it are skipped by name; CI demands it.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ADMIN_TOKEN, type Api } from './gateway.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A slow machine draws a page in seconds, and what is not there by then never comes. */
const WAIT_MS = 120_000;

const path = PATHS.find((candidate) => existsSync(candidate));

/** Why tests in a browser are skipped; false when they are not. */
export const chromiumMissing = path === undefined && process.env['CI'] !== 'true' ? 'no Chromium is installed' : false;

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function openBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error('Chromium is needed: apt-get install chromium');
  return chromium.launch({ executablePath: path, args: FLAGS });
}

export interface ConsolePage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Reports of the Content-Security-Policy, errors thrown on the page, and answers of 500 or more. */
  readonly problems: string[];
}

export interface Look {
  readonly size?: { width: number; height: number };
  readonly dark?: boolean;
  readonly language?: 'en' | 'ko';
}

/** A new window on the gateway that collects whatever goes wrong. */
export async function openConsole(browser: Browser, { base }: Api, look: Look = {}): Promise<ConsolePage> {
  const { size = DESK, dark = false, language = 'en' } = look;
  const context = await browser.newContext({
    baseURL: base,
    viewport: size,
    deviceScaleFactor: size === PHONE ? 2 : 1,
    colorScheme: dark ? 'dark' : 'light',
    locale: language,
    timezoneId: 'Europe/London',
    // The stand-in for Microsoft has a certificate of its own.
    ignoreHTTPSErrors: true,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) problems.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} ${response.url()}`);
  });
  return { context, page, problems };
}

export async function signIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
  await page.goto('/');
  await page.getByRole('textbox').fill(token);
  await page.getByRole('button').click();
  await page.locator('#content').waitFor();
}
