-- Runs once the writer commits, after everything else it does, so no lock of the settling is held longer
-- than the commit itself.
drop trigger if exists pending_audit_settle on vital.pending_audit;
create constraint trigger pending_audit_settle after insert on vital.pending_audit
  deferrable initially deferred
  for each row execute function vital.settle();
