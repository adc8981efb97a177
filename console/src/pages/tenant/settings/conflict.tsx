import { Button } from '../../../ui/button';
import { Notice } from '../../../ui/notice';
import { fields, said } from './draft';
import type { Edit } from './edit';

/** Somebody else changed the configuration while this form was being filled in: what, and what to do about it. Nothing of either is lost. */
export function Conflict({ edit: { conflict, was, theirs, draft, mine, set, keepMine, discard } }: { edit: Edit }) {
  if (conflict.length === 0) return null;
  return (
    <Notice tone="warn" title="Somebody else changed the configuration while you were editing" actions={<><Button size="small" variant="primary" onClick={keepMine}>Keep my changes on top</Button><Button size="small" onClick={discard}>Discard mine</Button></>}>
      <ul className="mt-1 flex flex-col gap-1.5">
        {conflict.map((name) => {
          const both = mine.includes(name) && said(draft[name]) !== said(theirs[name]);
          return (
            <li key={name} className="break-words">
              <b className="font-medium">{fields[name].label}</b>: was {said(was[name])}, is now <b className="font-medium">{said(theirs[name])}</b>
              {both && <>; yours is <b className="font-medium">{said(draft[name])}</b> <Button size="small" variant="ghost" className="!h-6 underline" onClick={() => set(name, theirs[name])}>Take theirs</Button></>}
            </li>
          );
        })}
      </ul>
      <p className="mt-1.5">What you have changed is still here, and not saved yet.</p>
    </Notice>
  );
}
