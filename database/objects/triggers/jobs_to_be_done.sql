-- Triggers of public.jobs_to_be_done.
drop trigger if exists jobs_to_be_done_touch on public.jobs_to_be_done;
create trigger jobs_to_be_done_touch before update on public.jobs_to_be_done
  for each row execute function vital.touch_updated_at();
