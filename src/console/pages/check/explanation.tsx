import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Explanation } from '../../api/types.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailedThere, useReasonRemedy } from '../../app/korean.ts';
import { useReason } from '../../app/reasons.ts';
import { Sentence, SentenceOfGroups } from '../../app/sentence.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Card } from '../../ui/layout.tsx';
import { Table } from '../../ui/table.tsx';
import { ATTRIBUTES } from '../people/attribute-words.ts';
import { Manager } from '../people/manager.tsx';
import { attributeName, textOf, useValue } from '../run/field-changes.tsx';
import { DETAILS } from '../run/item-words.ts';
import css from './check.module.css';
import { CLAUSES, WORDS } from './words.ts';

type State = 'good' | 'bad' | 'grey';

/** The way of one record, step by step, with the reason where it stopped. */
export function ExplanationView({ explanation }: { readonly explanation: Explanation }) {
  const sayReason = useReason();
  const sayRemedy = useReasonRemedy();
  const { reason, directory } = explanation;
  const fine = directory?.active === true && directory.deletedAt === null;
  return (
    <>
      <Banner
        tone={fine ? 'green' : 'amber'}
        title={[explanation.label, sayReason(reason.code, reason.sentence)].filter(Boolean).join(': ')}
      >
        {sayRemedy(reason)}{' '}
        {reason.detail === null || reason.code === 'GuardHeld' ? null : <Detail>{reason.detail}</Detail>}
      </Banner>
      <Card flush>
        <ol className={css.steps}>
          <SourceStep explanation={explanation} />
          <ScopeStep explanation={explanation} />
          <LinkStep explanation={explanation} />
          <GuardStep explanation={explanation} />
          <DirectoryStep explanation={explanation} />
          {isUnknown(explanation) ? null : <RunStep explanation={explanation} />}
          <AppsStep explanation={explanation} />
        </ol>
      </Card>
      <Values explanation={explanation} />
    </>
  );
}

/** Neither the source nor the directory has ever had anybody like that. */
export function isUnknown({ source, directory }: Explanation): boolean {
  return source.state !== 'present' && source.state !== 'gone' && directory === null;
}

interface Part {
  readonly explanation: Explanation;
}

function Step({
  state,
  title,
  children,
}: {
  readonly state: State;
  readonly title: string;
  readonly children: ReactNode;
}) {
  const Icon = state === 'good' ? CircleCheck : state === 'bad' ? CircleX : CircleDashed;
  return (
    <li>
      <Icon size={20} className={css[state]} aria-hidden />
      <div>
        <h3>{title}</h3>
        {children}
      </div>
    </li>
  );
}

function SourceStep({ explanation: { source, groups, provider } }: Part) {
  const t = useT(WORDS);
  const language = useLanguage();
  if (provider === null)
    return (
      <Step state="grey" title={t('source')}>
        <p>{t('manual')}</p>
      </Step>
    );
  const at = (when: string | null): string => (when === null ? '–' : dateTime(when, language));
  return (
    <Step state={source.state === 'present' ? 'good' : 'bad'} title={t('source')}>
      <p>
        {source.state === 'present'
          ? t('present', { t: at(source.readAt) })
          : source.state === 'gone'
            ? t('gone', { t: at(source.goneAt) })
            : t('never')}
      </p>
      {groups.length === 0 ? null : (
        <p>
          {t('groups')}:{' '}
          {groups
            .map(
              ({ displayName, externalId, inScope }) =>
                `${displayName ?? externalId}${inScope ? '' : ` (${t('notInScope')})`}`,
            )
            .join(', ')}
        </p>
      )}
    </Step>
  );
}

/** What a clause found: a word of the gateway's own, or a sentence. */
function Detail({ children: detail }: { readonly children: string }) {
  const t = useT(DETAILS);
  return detail in DETAILS ? <span>{t(detail as keyof typeof DETAILS)}</span> : <Sentence>{detail}</Sentence>;
}

function ScopeStep({ explanation: { scope } }: Part) {
  const t = useT(WORDS);
  const sayReason = useReason();
  if (scope === null) return null;
  return (
    <Step state={scope.inScope ? 'good' : 'bad'} title={t('scope')}>
      <p>
        {t(scope.inScope ? 'inScope' : 'outOfScope')} {scope.settingsChanged ? t('settingsChanged') : null}
      </p>
      {scope.path === null ? null : <p>{t('path', { path: scope.path })}</p>}
      {scope.noPath === null ? null : <p>{sayReason(scope.noPath.code, scope.noPath.sentence)}</p>}
      <ul className={css.clauses}>
        {scope.clauses.map(({ setting, demands, holds, detail }) => (
          <li key={setting + demands}>
            {holds ? (
              <CircleCheck size={16} className={css.good} aria-hidden />
            ) : (
              <CircleX size={16} className={css.bad} aria-hidden />
            )}
            <ClauseName setting={setting} />
            <span>
              {setting === 'scope.groupIds' ? (
                <SentenceOfGroups>{demands}</SentenceOfGroups>
              ) : (
                <Sentence>{demands}</Sentence>
              )}
              {detail === null || detail === demands ? null : (
                <>
                  {' ('}
                  <Detail>{detail}</Detail>)
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Step>
  );
}

/** What the setting is called in the settings of the source; one without a word of its own keeps its path. */
function ClauseName({ setting }: { readonly setting: string }) {
  const t = useT(CLAUSES);
  return setting in CLAUSES ? <span>{t(setting as keyof typeof CLAUSES)}</span> : <code>{setting}</code>;
}

function LinkStep({ explanation: { link } }: Part) {
  const t = useT(WORDS);
  return (
    <Step state={link.state === 'linked' ? 'good' : 'grey'} title={t('matching')}>
      <p>
        {t(link.state)} {link.attribute === null ? null : t('by', { attribute: link.attribute })}
      </p>
    </Step>
  );
}

function GuardStep({ explanation: { guard } }: Part) {
  const t = useT(WORDS);
  return (
    <Step state={guard === null ? 'good' : 'bad'} title={t('guard')}>
      <p>{guard === null ? t('notHeld') : t('held')}</p>
    </Step>
  );
}

function DirectoryStep({ explanation: { directory, resourceType } }: Part) {
  const t = useT(WORDS);
  const language = useLanguage();
  if (directory === null)
    return (
      <Step state="bad" title={t('directory')}>
        <p>{t('notHere')}</p>
      </Step>
    );
  const { id, active, deletedAt } = directory;
  return (
    <Step state={deletedAt === null && active ? 'good' : 'bad'} title={t('directory')}>
      <p>{deletedAt !== null ? t('deleted', { t: relative(deletedAt, language) }) : t(active ? 'here' : 'disabled')}</p>
      {deletedAt === null ? (
        <Link to={resourceType === 'Group' ? '/groups/$id' : '/users/$id'} params={{ id }}>
          {t('open')}
        </Link>
      ) : null}
    </Step>
  );
}

function RunStep({ explanation: { lastRun } }: Part) {
  const t = useT(WORDS);
  const sayReason = useReason();
  if (lastRun === null)
    return (
      <Step state="grey" title={t('lastRun')}>
        <p>{t('noRun')}</p>
      </Step>
    );
  return (
    <Step state="grey" title={t('lastRun')}>
      <p>{sayReason(lastRun.reason.code, lastRun.reason.sentence)}</p>
      <Link to="/runs/$id" params={{ id: lastRun.id }}>
        {t('seeRun')}
      </Link>
    </Step>
  );
}

const OUTCOMES = {
  delivered: ['delivered', 'good'],
  deprovisioned: ['deprovisioned', 'grey'],
  pending: ['pending', 'grey'],
  sending: ['sending', 'grey'],
  dead: ['dead', 'bad'],
  held: ['heldThere', 'bad'],
  waiting: ['waiting', 'grey'],
  outOfScope: ['outOfScopeThere', 'grey'],
} as const;
const STOPPED = { paused: 'paused', quarantined: 'quarantined', disabled: 'disabledThere' } as const;

/** What became of it in each app that is written to. */
function AppsStep({ explanation: { targets } }: Part) {
  const t = useT(WORDS);
  const sayCause = useFailedThere();
  if (targets.length === 0) return null;
  const states = targets.map(({ outcome }) => OUTCOMES[outcome][1]);
  const state = states.includes('bad') ? 'bad' : states.includes('good') ? 'good' : 'grey';
  return (
    <Step state={state} title={t('apps')}>
      <ul className={css.inApps}>
        {targets.map(({ appId, name, outcome, targetState, error }) => (
          <li key={appId}>
            <Link to="/apps/$id" params={{ id: appId }}>
              {name}
            </Link>
            <span>
              {t(OUTCOMES[outcome][0])}
              {targetState === 'active' ? null : ` (${t(STOPPED[targetState])})`}
              {outcome === 'dead' && error !== null ? `: ${sayCause(failedOf(error))}` : null}
            </span>
          </li>
        ))}
      </ul>
    </Step>
  );
}

function failedOf({ code, message }: Readonly<Record<string, unknown>>) {
  return { code: String(code ?? ''), message: String(message ?? '') };
}

function isManager(attribute: string): boolean {
  return attribute.endsWith(':manager');
}

function Values({ explanation: { attributes } }: Part) {
  const t = useT(WORDS);
  const names = useT(ATTRIBUTES);
  const say = useValue();
  const language = useLanguage();
  if (attributes.length === 0) return null;
  return (
    <Card title={t('attributes')} flush>
      <Table
        label={t('attributes')}
        items={attributes}
        keyOf={({ attribute }) => attribute}
        columns={[
          { name: t('attribute'), cell: ({ attribute }) => attributeName(attribute, names) },
          {
            name: t('value'),
            cell: ({ attribute, value }) => (
              <span style={{ overflowWrap: 'anywhere' }}>
                {isManager(attribute) ? <Manager value={value} /> : say(attribute, value)}
              </span>
            ),
          },
          {
            name: t('from'),
            cell: ({ source }) =>
              source === undefined
                ? '–'
                : Object.entries(source)
                    .map(([name, value]) => `${name}: ${textOf(value)}`)
                    .join('; '),
          },
          {
            name: t('setBy'),
            end: true,
            cell: ({ setBy }) =>
              setBy === null ? '–' : <span style={{ whiteSpace: 'nowrap' }}>{relative(setBy.at, language)}</span>,
          },
        ]}
      />
    </Card>
  );
}
