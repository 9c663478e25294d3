import { CircleCheck, CircleX, PlugZap } from 'lucide-react';
import { useAsk } from '../../api/queries.ts';
import type { TestResult } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Sentence } from '../../app/sentence.tsx';
import { useNeeds } from '../../app/session.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { CHECKS } from './check-words.ts';
import type { Json, Kind } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

/** Tries settings that need not be saved yet. */
export function ConnectionTest({ kind, settings }: { readonly kind: Kind; readonly settings: Json }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const test = useAsk('POST /providers/{kind}/test');
  return (
    <Stack>
      <div>
        <Button
          icon={<PlugZap size={16} />}
          off={needs}
          busy={test.isPending}
          onClick={() => test.mutate({ path: { kind }, body: settings as never })}
        >
          {t('test')}
        </Button>
      </div>
      <div aria-live="polite">
        <Refusal error={test.error} />
        {test.data === undefined ? null : <Checks result={test.data} />}
      </div>
    </Stack>
  );
}

/** Each check by its name, and what to do about those that do not hold. */
export function Checks({ result }: { readonly result: TestResult }) {
  const t = useT(WORDS);
  const names = useT(CHECKS);
  const nameOf = (name: string): string => (name in CHECKS ? names(name as keyof typeof CHECKS) : name);
  return (
    <Stack>
      <Banner tone={result.ok ? 'green' : 'amber'} title={t(result.ok ? 'tested' : 'testFailed')} />
      <ul className={css.checks}>
        {result.checks.map(({ name, ok, detail, remedy }) => (
          <li key={name + detail}>
            {ok ? (
              <CircleCheck size={17} className={css.good} aria-hidden />
            ) : (
              <CircleX size={17} className={css.bad} aria-hidden />
            )}
            <b>{nameOf(name)}</b>
            <span>
              <Sentence>{detail}</Sentence>
              {remedy === null ? null : (
                <small>
                  <Sentence>{remedy}</Sentence>
                </small>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
