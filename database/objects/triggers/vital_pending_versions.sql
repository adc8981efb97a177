-- Runs once the writer commits, after everything else it does, so no lock of the settling is held longer
-- than the commit itself.
drop trigger if exists pending_versions_settle on vital.pending_versions;
create constraint trigger pending_versions_settle after insert on vital.pending_versions
  deferrable initially deferred
  for each row when (new.scope = 'settle') execute function vital.settle();
