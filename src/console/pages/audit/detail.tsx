import type { ReactNode } from 'react';
import type { ItemOf } from '../../api/queries.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Pairs } from '../../ui/layout.tsx';
import { ATTRIBUTES } from '../people/attribute-words.ts';
import { attributeName, textOf } from '../run/field-changes.tsx';
import { RunObject } from './object.tsx';

/** What entries tell beside their object. Settings that only programs name keep the name that they have in the API. */
const NAMES = words({
  actor: ['Who', '작업자'],
  app: ['App', '앱'],
  atOnce: ['At once', '즉시'],
  attributes: ['Attributes', '속성'],
  audit: ['Entries of this log', '감사 기록'],
  backfill: ['Everybody again', '전체 다시 전송'],
  candidates: ['Candidates', '후보'],
  changes: ['Entries of the change log', '변경 기록'],
  channels: ['Channels', '채널'],
  code: ['Code', '코드'],
  configVersion: ['Version of the settings', '설정 버전'],
  count: ['How many', '개수'],
  cron: ['Cron expression', 'cron 식'],
  deadLetters: ['Dead letters', '배달 불가'],
  delivery: ['Delivery', '전송'],
  enabled: ['On', '켜짐'],
  everyMinutes: ['Every so many minutes', '간격(분)'],
  everywhere: ['Everywhere', '모든 기기'],
  files: ['Files', '파일'],
  from: ['From', '시작'],
  images: ['Contents of plans', '계획 내용'],
  kind: ['Kind', '종류'],
  learned: ['What was learnt', '학습한 내용'],
  leftOvers: ['Who is left over', '남은 항목 처리'],
  message: ['Message', '메시지'],
  method: ['By', '방법'],
  name: ['Name', '이름'],
  ok: ['It worked', '성공'],
  overlapHours: ['Hours in which both are good', '함께 유효한 시간'],
  percent: ['Percent', '비율(%)'],
  planId: ['Plan', '계획'],
  plans: ['Plans', '계획'],
  preview: ['Preview', '미리 보기'],
  quarantine: ['Quarantine', '격리'],
  reason: ['Why', '이유'],
  records: ['Records that are gone', '사라진 레코드'],
  requests: ['Requests', '요청'],
  resourceId: ['Who or what', '대상'],
  resourceUnits: ['Resource units', '리소스 단위'],
  role: ['Role', '역할'],
  run: ['Run', '실행'],
  runId: ['Run', '실행'],
  runs: ['Runs', '실행'],
  scopes: ['Rights', '권한'],
  sourceId: ['Source', '소스'],
  switchedFrom: ['Before', '이전 소스'],
  switchedTo: ['Switched to', '전환한 소스'],
  time: ['Time', '시각'],
  timeZone: ['Time zone', '표준 시간대'],
  tombstones: ['Removed users and groups', '제거된 사용자와 그룹'],
  trigger: ['Started by', '시작 방법'],
  uploadId: ['Upload', '업로드'],
  wallMinutes: ['Minutes of run time', '실행 시간(분)'],
  withoutPreview: ['Without a preview', '미리 보기 없이'],
});

type Facts = Readonly<Record<string, unknown>>;

/** What an entry tells, in words as far as there are some. */
export function Detail({ entry }: { readonly entry: Pick<ItemOf<'GET /audit'>, 'detail'> }) {
  const names = useT(NAMES);
  return (
    <Pairs
      items={partsOf((entry.detail ?? {}) as Facts).map(
        ([path, value]) =>
          [
            path in NAMES ? names(path as keyof typeof NAMES) : path,
            <Told key={path} name={path} value={value} />,
          ] as const,
      )}
    />
  );
}

/** Each part by its path; a list is one. */
function partsOf(detail: Facts, above = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(detail).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? partsOf(value as Facts, `${above}${name}.`)
      : [[`${above}${name}`, value] as const],
  );
}

const NOUNS: Readonly<Record<string, string>> = { run: 'run', runId: 'run', planId: 'plan' };
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** One value, as people read it. */
function Told({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  const common = useT(COMMON);
  const kinds = useT(PROVIDERS);
  const attributes = useT(ATTRIBUTES);
  const language = useLanguage();
  if (typeof value === 'boolean') return common(value ? 'yes' : 'no');
  const noun = NOUNS[name];
  if (noun !== undefined && typeof value === 'string') return <RunObject id={value} noun={noun} />;
  if (name === 'attributes' && Array.isArray(value))
    return value.map((path) => attributeName(String(path), attributes)).join(', ');
  if (typeof value === 'string' && INSTANT.test(value)) return dateTime(value, language);
  if (typeof value === 'string' && value in PROVIDERS && value !== 'manual')
    return kinds(value as keyof typeof PROVIDERS);
  if (Array.isArray(value) && value.length === 0) return '–';
  return textOf(value);
}
