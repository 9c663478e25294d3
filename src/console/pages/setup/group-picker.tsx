import { UserRound, UsersRound } from 'lucide-react';
import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { SourceGroup } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Check, SearchField } from '../../ui/field.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import type { Kind } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const MEMBERS_SHOWN = 40;

interface PickerProps {
  readonly kind: Kind;
  readonly picked: readonly string[];
  /** Types that the settings let in; undefined lets every type. */
  readonly types?: readonly string[];
  readonly single?: boolean;
  readonly onClose: () => void;
  readonly onPick: (ids: readonly string[]) => void;
}

/** Groups of the source by name, with a look into each. */
export function GroupPicker({ kind, picked, types, single = false, onClose, onPick }: PickerProps) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [chosen, setChosen] = useState(picked);
  const [search, setSearch] = useState('');
  const [into, setInto] = useState<SourceGroup | undefined>(undefined);
  const groups = useGet('GET /providers/{kind}/source/groups', { path: { kind }, query: { search } });
  const toggle = (id: string, on: boolean): void =>
    setChosen(on ? (single ? [id] : [...chosen, id]) : chosen.filter((one) => one !== id));
  return (
    <Dialog
      open
      shape="wide"
      onClose={onClose}
      title={t(single ? 'pickOneTitle' : 'pickerTitle')}
      lead={single ? undefined : t('pickerLead')}
      foot={
        <>
          <span className={css.picked}>{t('picked', { n: chosen.length })}</span>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look="primary" onClick={() => onPick(chosen)}>
            {t('done')}
          </Button>
        </>
      }
    >
      <div className={css.picker}>
        <div>
          <SearchField label={t('findGroup')} value={search} onChange={setSearch} />
          <Loaded query={groups}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty title={t('noGroup')} />
              ) : (
                <ul className={css.groups}>
                  {items.map((group) => {
                    const fits = types === undefined || types.includes(group.type);
                    return (
                      <li key={group.id} className={into?.id === group.id ? css.on : undefined}>
                        <Check
                          label={group.displayName}
                          note={<GroupNote group={group} fits={fits} />}
                          checked={chosen.includes(group.id)}
                          disabled={!fits}
                          onChange={(on) => toggle(group.id, on)}
                        />
                        <Button look="quiet" small onClick={() => setInto(group)}>
                          {t('members')}
                        </Button>
                      </li>
                    );
                  })}
                </ul>
              )
            }
          </Loaded>
        </div>
        <div>
          {into === undefined ? (
            <Empty icon={<UsersRound size={26} />} title={t('lookAtMembers')} />
          ) : (
            <Members kind={kind} group={into} />
          )}
        </div>
      </div>
    </Dialog>
  );
}

const TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;

function GroupNote({ group, fits }: { readonly group: SourceGroup; readonly fits: boolean }) {
  const t = useT(WORDS);
  if (!fits) return <>{t('cannotPick')}</>;
  const type = TYPES.find((name) => name === group.type);
  const size = group.memberCount === null ? t('membersUnknown') : t('membersOf', { n: group.memberCount });
  return (
    <>
      {type === undefined ? t('unknown') : t(type)} · {size}
    </>
  );
}

function Members({ kind, group }: { readonly kind: Kind; readonly group: SourceGroup }) {
  const t = useT(WORDS);
  const members = useGet('GET /providers/{kind}/source/groups/{id}/members', { path: { kind, id: group.id } });
  return (
    <Loaded query={members}>
      {({ items }) => {
        const subgroups = items.filter(({ type }) => type === 'group').length;
        return (
          <>
            <h3>{group.displayName}</h3>
            <p>{t('users', { n: items.length - subgroups, g: subgroups })}</p>
            <ul className={css.memberList}>
              {items.slice(0, MEMBERS_SHOWN).map(({ id, displayName, type, path }) => (
                <li key={`${id}-${path.join('/')}`}>
                  <span>
                    {type === 'group' ? <UsersRound size={14} aria-hidden /> : <UserRound size={14} aria-hidden />}{' '}
                    {displayName}
                  </span>
                  <small>{path.slice(1).join(' / ')}</small>
                </li>
              ))}
              {items.length > MEMBERS_SHOWN ? <li>{t('more', { n: items.length - MEMBERS_SHOWN })}</li> : null}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}
