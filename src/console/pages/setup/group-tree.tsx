import { type ReactNode, useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { SourceGroup, SourceMember } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Check } from '../../ui/field.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Twist } from '../../ui/twist.tsx';
import { GROUP_WORDS } from './group-words.ts';
import type { Kind } from './model.ts';
import css from './setup.module.css';

/** A group of the tree: itself, and the group on top, whose members name everybody below. */
export interface Branch {
  /** The place in the tree, since a group may be below more than one. */
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly type: string | undefined;
  readonly memberCount: number | null;
}

export interface Picking {
  readonly kind: Kind;
  readonly nested: boolean;
  /** The branch that is looked at, by its key. */
  readonly into: string | undefined;
  readonly fits: (type: string | undefined) => boolean;
  readonly isPicked: (id: string) => boolean;
  readonly onToggle: (id: string, on: boolean) => void;
  readonly onLook: (branch: Branch) => void;
}

/** A group at the top. What is below it is asked for when it is opened. */
export function RootGroup({ group, picking }: { readonly group: SourceGroup; readonly picking: Picking }) {
  const { id, displayName: name, type, memberCount } = group;
  const [open, setOpen] = useState(false);
  const members = useGet('GET /providers/{kind}/source/groups/{id}/members', {
    path: { kind: picking.kind, id },
    enabled: open,
  });
  return (
    <Node
      branch={{ key: id, id, name, type, memberCount }}
      picking={picking}
      open={open}
      onOpen={memberCount === 0 ? undefined : setOpen}
    >
      <Loaded query={members} lines={2}>
        {({ items }) => (
          <Subgroups
            items={items}
            path={[name]}
            top={id}
            picking={picking}
            comes={picking.nested && picking.isPicked(id)}
          />
        )}
      </Loaded>
    </Node>
  );
}

interface SubgroupsProps {
  readonly items: readonly SourceMember[];
  readonly path: readonly string[];
  /** The id of the group on top. */
  readonly top: string;
  readonly picking: Picking;
  /** Whether a group above is picked and brings these. */
  readonly comes: boolean;
}

function Subgroups({ items, path, top, picking, comes }: SubgroupsProps) {
  const t = useT(GROUP_WORDS);
  const groups = directlyIn(items, path).filter(({ type }) => type === 'group');
  if (groups.length === 0) return <p className={css.noSubgroup}>{t('noSubgroup')}</p>;
  return (
    <ul aria-label={t('subgroupsOf', { name: path.at(-1) ?? '' })}>
      {groups.map((group) => (
        <Subgroup key={group.id} {...{ group, items, path, top, picking, comes }} />
      ))}
    </ul>
  );
}

function Subgroup({ group, items, path, top, picking, comes }: SubgroupsProps & { readonly group: SourceMember }) {
  const [open, setOpen] = useState(false);
  const below = [...path, group.displayName];
  const members = directlyIn(items, below);
  const branch: Branch = {
    key: [top, ...below].join('/'),
    id: group.id,
    name: group.displayName,
    type: group.groupType,
    memberCount: members.length,
  };
  const nodes = members.some(({ type }) => type === 'group');
  return (
    <Node branch={branch} picking={picking} comes={comes} open={open} onOpen={nodes ? setOpen : undefined}>
      <Subgroups
        {...{ items, top, picking }}
        path={below}
        comes={comes || (picking.nested && picking.isPicked(group.id))}
      />
    </Node>
  );
}

/** Members of the group that a path of names leads to, without those of its subgroups. */
function directlyIn(items: readonly SourceMember[], path: readonly string[]): readonly SourceMember[] {
  return items.filter((item) => item.path.length === path.length && item.path.every((name, at) => name === path[at]));
}

function Node({
  branch,
  picking,
  comes = false,
  open,
  onOpen,
  children,
}: {
  readonly branch: Branch;
  readonly picking: Picking;
  readonly comes?: boolean;
  readonly open: boolean;
  /** Undefined for a group that has nothing below it. */
  readonly onOpen: ((open: boolean) => void) | undefined;
  readonly children: ReactNode;
}) {
  const t = useT(GROUP_WORDS);
  const { id, name, type } = branch;
  const picked = picking.isPicked(id);
  return (
    <li>
      <div className={classes(css.node, picking.into === branch.key && css.on)}>
        <Twist label={t('subgroupsOf', { name })} open={open} onOpen={onOpen} />
        <Check
          label={
            <>
              {name} <TypeBadge type={type} />
            </>
          }
          note={<Note branch={branch} fits={picking.fits(type)} comes={comes} />}
          checked={picked || comes}
          disabled={comes || !(picked || picking.fits(type))}
          onChange={(on) => picking.onToggle(id, on)}
        />
        <Button look="quiet" small aria-label={t('membersIn', { name })} onClick={() => picking.onLook(branch)}>
          {t('members')}
        </Button>
      </div>
      {open ? children : null}
    </li>
  );
}

const TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;

function TypeBadge({ type }: { readonly type: string | undefined }) {
  const t = useT(GROUP_WORDS);
  if (type === undefined) return null;
  return <Badge tone="grey">{t(TYPES.find((name) => name === type) ?? 'unknown')}</Badge>;
}

function Note(props: { readonly branch: Branch; readonly fits: boolean; readonly comes: boolean }) {
  const t = useT(GROUP_WORDS);
  const { memberCount: n } = props.branch;
  const size = n === null ? t('membersUnknown') : t('membersOf', { n });
  if (props.comes) return `${size} · ${t('comesAlong')}`;
  return props.fits ? size : `${size} · ${t('cannotPick')}`;
}
