import { VitalError } from '@vital-db/client';
import clsx from 'clsx';
import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from './button';

const looks = { info: { box: 'bg-info-soft text-info', icon: Info }, warn: { box: 'bg-warn-soft text-warn', icon: TriangleAlert }, bad: { box: 'bg-bad-soft text-bad', icon: CircleAlert } };

/** Something to know about what stands around it. */
export function Notice({ tone = 'info', title, children, actions, onDismiss }: {
  tone?: keyof typeof looks; title: ReactNode; children?: ReactNode; actions?: ReactNode; onDismiss?: () => void;
}) {
  const { box, icon: Icon } = looks[tone];
  return (
    <div role={tone === 'info' ? 'status' : 'alert'} className={clsx('flex items-start gap-3 rounded-lg px-3.5 py-3 text-left text-sm', box)}>
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0 grow">
        <p className="font-medium break-words">{title}</p>
        {children && <div className="mt-0.5 flex flex-col gap-2 break-words text-ink">{children}</div>}
        {actions && <div className="mt-2.5 flex flex-wrap gap-2">{actions}</div>}
      </div>
      {onDismiss && <IconButton label="Dismiss" onClick={onDismiss} className="-my-1.5 -mr-1.5 !text-current"><X className="size-4" aria-hidden /></IconButton>}
    </div>
  );
}

/** Why something was not done, in a line: where a whole {@link Problem} has no room. */
export function Failure({ error, what, onDismiss }: { error: Error; what?: string; onDismiss?: () => void }) {
  const told = error instanceof VitalError ? error : undefined;
  return (
    <Notice tone="bad" title={what ? `${what}: ${error.message}` : error.message} onDismiss={onDismiss}>
      {told && <>{told.hint && <p>{told.hint}</p>}<p className="font-mono text-xs text-muted">{told.code}{told.requestId && ` · request ${told.requestId}`}</p></>}
    </Notice>
  );
}
