import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { buttonClass } from '../ui/button';
import { Empty } from '../ui/state';
import { Page } from '../ui/page';

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty icon={<Compass className="size-5" />} title="There is no such page" action={<Link to="/" className={buttonClass()}>To your tenant</Link>}>It does not exist, or it is not yours to see.</Empty>
    </Page>
  );
}
